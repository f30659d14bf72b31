//! What `docs/kernel-classes.md` shows must work as shown.
// Helper functions of an integration test are test code, which clippy sees in `#[test]` only.
#![allow(clippy::unwrap_used)]

use nsys_attrib::classify::Classifier;

fn documentation() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/kernel-classes.md");
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn the_example_of_own_rules_loads_and_keeps_its_example() {
    let text = documentation();
    let example = text.split("```toml").nth(1).unwrap().split("```").next().unwrap();
    let rules = Classifier::from_toml(example, "docs/kernel-classes.md").unwrap();
    assert!(rules.source().extends);
    assert_eq!(rules.broken_examples(), []);
    let group = rules.groups().iter().find(|group| group.name == "hydro").unwrap();
    assert_eq!(
        group.headline_reading().unwrap().classes,
        [rules.class("hydro/advection").unwrap()]
    );
}

#[test]
fn every_shipped_class_and_group_is_explained() {
    let text = documentation();
    let rules = Classifier::shipped().unwrap();
    for class in rules.class_names() {
        assert!(text.contains(&format!("`{class}`")), "{class} is not in docs/kernel-classes.md");
    }
    for group in rules.groups() {
        assert!(text.contains(&format!("`{}`", group.name)), "{}", group.name);
    }
}
