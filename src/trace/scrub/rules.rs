//! What is replaced where: one rule a column.
//!
//! Columns are told by table and name, as the exports of 2020 to 2026 spell them; a column that is
//! not listed gets the general rule of its kind of table. References into `StringIds` are told by the
//! schema's own comment (`REFERENCES StringIds(id)`, from 2022 on) or by the column's name.

/// What happens to the text of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// The vendor's constants.
    Keep,
    /// A name in an event table: kept, and reported when it looks private.
    Name,
    /// A name that the user gave through NVTX: as `Name`, or cleaned on request.
    Nvtx,
    /// Private as a whole.
    Whole,
    /// A file name: only the last part stays, and all of it in a system folder.
    Path,
    /// A message: paths and private pieces go.
    Message,
    /// Name and value rows: `Setting` decides by the name beside it.
    Setting,
    /// `Local (CLI)` stays, a remote machine's name goes.
    Device,
    /// Names of processes: decided by whether the process was profiled.
    Process,
    /// Any other text: private pieces go.
    Text,
}

/// What a reference into `StringIds` makes of the string.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reference {
    /// Captured output, arguments: private as a whole.
    Captured,
    /// A library or source file.
    Path,
    /// A name given through NVTX.
    Nvtx,
    /// A name of an event: kept. Wins over the others.
    Name,
}

/// The rule of a text column. `is_event` tells tables of timed rows.
pub(super) fn text_rule(table: &str, column: &str, is_event: bool) -> Rule {
    let column = column.to_ascii_lowercase();
    match table {
        _ if table.starts_with("ENUM_") || table == "UnwindMethodType" => Rule::Keep,
        "META_DATA_CAPTURE"
        | "META_DATA_EXPORT"
        | "EXPORT_META_DATA"
        | "TARGET_INFO_SYSTEM_ENV"
            if column == "value" =>
        {
            Rule::Setting
        }
        "META_DATA_CAPTURE" | "META_DATA_EXPORT" | "EXPORT_META_DATA" => Rule::Keep,
        _ if column == "devstatename" || column == "statename" => Rule::Device,
        "TARGET_INFO_SYSTEM_ENV" => Rule::Keep,
        "PROCESSES" => Rule::Process,
        "DIAGNOSTIC_EVENT" => Rule::Message,
        "OSRT_ARGUMENTS" | "TARGET_INFO_NIC_INFO" => Rule::Whole,
        "ANALYSIS_FILE" if column == "content" => Rule::Whole,
        "ANALYSIS_FILE" | "OSRT_FILE_ACCESS_DESCRIPTORS" => Rule::Path,
        _ if column.contains("uuid") || column.contains("serial") => Rule::Whole,
        _ if table.starts_with("NVTX_") => Rule::Nvtx,
        _ if is_event => Rule::Name,
        _ => Rule::Text,
    }
}

/// Whether the integers of a column name a piece of hardware, and become 0.
pub(super) fn is_hardware_id(table: &str, column: &str) -> bool {
    table == "TARGET_INFO_NIC_INFO" && column.eq_ignore_ascii_case("GUID")
}

/// What a setting's value is, by the setting's name.
pub(super) fn setting_rule(table: &str, name: &str) -> Rule {
    let upper = name.to_ascii_uppercase();
    // `PROCESS_0:WORKING_DIR` → `WORKING_DIR`.
    let key = upper.rsplit(':').next().unwrap_or(&upper);
    if table == "TARGET_INFO_SYSTEM_ENV" {
        return environment_rule(key);
    }
    let private = [
        "EXPORT_HOST",
        "EXPORT_USER",
        "HOSTNAME",
        "HOST_NAME",
        "USER",
        "USER_NAME",
        "DEVICE_DISPLAY_NAME",
        "ENVIRONMENT_VARIABLE",
        "COMMAND",
        "COMMAND_LINE",
        "WORKING_DIR",
        "PACKAGE_NAME",
        "PROFILING_SESSION_UUID",
    ];
    if private.contains(&key) || key.starts_with("ARGUMENT") || key.contains("_PATH") {
        Rule::Whole
    } else if key == "DEVICE_ID" {
        Rule::Device
    } else if key.contains("VERSION") || key.contains("_TIME") {
        Rule::Keep
    } else {
        Rule::Message
    }
}

fn environment_rule(key: &str) -> Rule {
    let private = ["HOSTNAME", "ENVIRONMENT", "SERIAL", "MACADDR", "IPADDR", "USERNAME", "NICINFO"];
    if private.iter().any(|word| key.contains(word)) || key == "SYSTEMUID" {
        Rule::Whole
    } else if key.ends_with("DIR") || key.ends_with("PATH") {
        Rule::Path
    } else if key.contains("VERSION") || key.contains("DESCRIPTION") || key == "GPUMETRICSCONFIG" {
        Rule::Keep
    } else {
        Rule::Text
    }
}

/// What an integer column refers to in `StringIds`; `None` when it is no reference. `declared` is
/// whether the schema's comment says that it is one.
pub(super) fn reference(table: &str, column: &str, declared: bool) -> Option<Reference> {
    const NAMES: [&str; 20] = [
        "nameId",
        "textId",
        "jsonTextId",
        "contentId",
        "filenameId",
        "module",
        "symbol",
        "shortName",
        "demangledName",
        "mangledName",
        "srcFile",
        "funcName",
        "endNameId",
        "varName",
        "taskName",
        "providerName",
        "kernelName",
        "description",
        "apiCallId",
        "stringId",
    ];
    if !declared && !NAMES.contains(&column) {
        return None;
    }
    Some(match (table, column) {
        ("ProcessStreams" | "ANALYSIS_FILE", "contentId") | ("OSRT_ARGUMENTS", _) => {
            Reference::Captured
        }
        ("TARGET_INFO_PROCESS", "nameId") => Reference::Captured,
        (_, "module" | "srcFile" | "filenameId") => Reference::Path,
        (table, _) if table.starts_with("NVTX_") => Reference::Nvtx,
        _ => Reference::Name,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_told_by_their_names() {
        let capture = |name| setting_rule("META_DATA_CAPTURE", name);
        assert_eq!(capture("PROCESS_0:ENVIRONMENT_VARIABLE"), Rule::Whole);
        assert_eq!(capture("PROCESS_12:ARGUMENT_3"), Rule::Whole);
        assert_eq!(capture("PROCESS_0:WORKING_DIR"), Rule::Whole);
        assert_eq!(capture("CUDA_GRAPH_TRACE_OPTIONS:MODE"), Rule::Message);
        assert_eq!(setting_rule("EXPORT_META_DATA", "EXPORT_OUTUPT_PATH_ABS"), Rule::Whole);
        assert_eq!(setting_rule("META_DATA_EXPORT", "EXPORT_PRODUCT_VERSION"), Rule::Keep);
        let environment = |name| setting_rule("TARGET_INFO_SYSTEM_ENV", name);
        assert_eq!(environment("Hostname"), Rule::Whole);
        assert_eq!(environment("DeviceEnvironment"), Rule::Whole);
        assert_eq!(environment("TargetInstallDir"), Rule::Path);
        assert_eq!(environment("CpuDescription"), Rule::Keep);
        assert_eq!(environment("GpuInfo"), Rule::Text);
    }

    #[test]
    fn references_are_found_with_and_without_the_schemas_word() {
        assert_eq!(
            reference("CUPTI_ACTIVITY_KIND_KERNEL", "shortName", false),
            Some(Reference::Name)
        );
        assert_eq!(reference("CUPTI_ACTIVITY_KIND_KERNEL", "gridX", false), None);
        assert_eq!(reference("NEW_TABLE", "whatever", true), Some(Reference::Name));
        assert_eq!(reference("NVTX_EVENTS", "textId", false), Some(Reference::Nvtx));
        assert_eq!(reference("ProcessStreams", "contentId", true), Some(Reference::Captured));
        assert_eq!(reference("OSRT_CALLCHAINS", "module", true), Some(Reference::Path));
    }

    #[test]
    fn text_in_event_tables_is_a_name() {
        assert_eq!(text_rule("CUPTI_ACTIVITY_KIND_RUNTIME", "name", true), Rule::Name);
        assert_eq!(text_rule("NVTX_EVENTS", "text", true), Rule::Nvtx);
        assert_eq!(text_rule("TARGET_INFO_GPU", "uuid", false), Rule::Whole);
        assert_eq!(text_rule("TARGET_INFO_GPU", "name", false), Rule::Text);
        assert_eq!(text_rule("ENUM_NSYS_EVENT_TYPE", "label", false), Rule::Keep);
    }
}
