//! Which words of a definition are for readers of documents alone: remarks in parentheses that name a field.

/// `Kernel time (by_context_ns says how much).` → `Kernel time.`: what a page or a caption says, where nobody sees the
/// fields of a document. Remarks without a field's name stay.
pub fn without_keys(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find(" (") {
        let Some(length) = rest[open..].find(')') else { break };
        let remark = &rest[open..=open + length];
        kept += &rest[..open];
        // A parenthesis within a parenthesis is left alone.
        if !remark.contains('_') || remark[2..].contains('(') {
            kept += remark;
        }
        rest = &rest[open + length + 1..];
    }
    kept + rest
}

#[cfg(test)]
mod tests {
    use super::without_keys;

    #[test]
    fn remarks_with_fields_go_and_others_stay() {
        let text = "Decided by others (by_context_ns). Head, tail (by kind in head_by, tail_by), sync (by name).";
        assert_eq!(without_keys(text), "Decided by others. Head, tail, sync (by name).");
        assert_eq!(without_keys("a (b"), "a (b");
        assert_eq!(without_keys("x (f(a_b) c)"), "x (f(a_b) c)");
    }
}
