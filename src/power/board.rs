//! Which rail is the total of a board, and which sums are allowed.
//!
//! Rails nest: `VDD_IN` already contains `VDD_SOC`. The table follows `power.md` 1.1.4 (jetson_stats
//! #51 and #344 quoting NVIDIA, the device tree of tegra234-p3767). None of these totals includes the
//! losses of the carrier board.

use super::error::PowerError;

/// What stands for the whole board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Total {
    /// One rail that contains the others.
    Rail(String),
    /// Rails that together are the module.
    Sum(Vec<String>),
    /// One device per rail (GPUs): no total unless it is asked for.
    Devices,
    /// Not established.
    Unknown,
}

/// A board whose rails are known.
struct Board {
    name: &'static str,
    total: &'static [&'static str],
    contained: &'static [&'static str],
    why: &'static str,
}

const BOARDS: [Board; 5] = [
    Board {
        name: "Jetson Nano or TX1 (POM_5V_*)",
        total: &["POM_5V_IN"],
        contained: &["POM_5V_GPU", "POM_5V_CPU"],
        why: "POM_5V_IN is the input of the module and contains POM_5V_GPU and POM_5V_CPU",
    },
    Board {
        name: "Jetson TX1 or TX2",
        total: &["VDD_IN"],
        contained: &[
            "VDD_SYS_GPU",
            "VDD_SYS_SOC",
            "VDD_SYS_CPU",
            "VDD_SYS_DDR",
            "VDD_4V0_WIFI",
            "VDD_CPU",
            "VDD_GPU",
        ],
        why: "VDD_IN is the input of the module and contains the VDD_SYS_* rails and the WiFi",
    },
    Board {
        name: "Jetson Xavier NX, Orin Nano or Orin NX",
        total: &["VDD_IN"],
        contained: &["VDD_CPU_GPU_CV", "VDD_SOC"],
        why: "VDD_IN is the input of the module and contains VDD_CPU_GPU_CV and VDD_SOC",
    },
    Board {
        name: "Jetson AGX Xavier",
        total: &["GPU", "CPU", "SOC", "CV", "VDDRQ", "SYS5V"],
        contained: &[],
        why: "the six rails are separate",
    },
    Board {
        name: "Jetson AGX Orin",
        total: &["VDD_GPU_SOC", "VDD_CPU_CV", "VIN_SYS_5V0"],
        contained: &["VDDQ_VDD2_1V8AO"],
        why: "VDDQ_VDD2_1V8AO is fed from VIN_SYS_5V0 and would be counted twice",
    },
];

fn board_of(rails: &[&str]) -> Option<&'static Board> {
    let has = |name: &&str| rails.contains(name);
    BOARDS.iter().find(|board| {
        // One input rail says little about a board; three or six names together say which it is.
        board.total.iter().all(has) && (board.total.len() > 1 || board.contained.iter().any(has))
    })
}

/// The name of the board that has these rails.
pub fn board_name(rails: &[&str]) -> Option<&'static str> {
    board_of(rails).map(|board| board.name)
}

/// What the total of these rails is.
pub fn total(rails: &[&str]) -> Total {
    if let Some(board) = board_of(rails) {
        return match board.total {
            [one] => Total::Rail((*one).to_owned()),
            several => Total::Sum(several.iter().map(|rail| (*rail).to_owned()).collect()),
        };
    }
    // An input rail alone, as a fragment of a line or a logger of one rail has it.
    if let Some(input) = rails.iter().find(|rail| matches!(**rail, "VDD_IN" | "POM_5V_IN" | "TOT"))
    {
        return Total::Rail((*input).to_owned());
    }
    if let Some(total) = rapl::total(rails) {
        return total;
    }
    match rails {
        [one] => Total::Rail((*one).to_owned()),
        several if same_device(several) => Total::Rail(best_of_device(several).to_owned()),
        several if several.iter().all(|rail| is_device(rail)) => Total::Devices,
        _ => Total::Unknown,
    }
}

/// Zones of RAPL: a package contains its core and uncore, dram is beside it, psys is the platform.
mod rapl {
    use super::Total;

    /// The names in a rail's name: `package-0/dram:energy` → `package-0`, `dram`.
    fn zones(rail: &str) -> impl Iterator<Item = &str> {
        rail.split(['/', ':']).filter(|part| *part != "energy")
    }

    fn is(rail: &str, zone: &str) -> bool {
        zones(rail).last().is_some_and(|last| last.starts_with(zone))
    }

    fn is_zone(rail: &str) -> bool {
        ["package-", "core", "uncore", "dram", "psys"].iter().any(|zone| is(rail, zone))
    }

    pub(super) fn total(rails: &[&str]) -> Option<Total> {
        if !rails.iter().all(|rail| is_zone(rail)) {
            return None;
        }
        if let Some(psys) = rails.iter().find(|rail| is(rail, "psys")) {
            return Some(Total::Rail((*psys).to_owned()));
        }
        let outer: Vec<String> = rails
            .iter()
            .filter(|rail| is(rail, "package-") || is(rail, "dram"))
            .map(|rail| (*rail).to_owned())
            .collect();
        match outer.as_slice() {
            [] => None,
            [one] => Some(Total::Rail(one.clone())),
            _ => Some(Total::Sum(outer)),
        }
    }

    /// Why these zones must not be added up, if they must not.
    pub(super) fn nested(wanted: &[&str]) -> Option<String> {
        if !wanted.iter().all(|rail| is_zone(rail)) {
            return None;
        }
        let any = |zone: &str| wanted.iter().any(|rail| is(rail, zone));
        if any("psys") {
            return Some("psys is the whole platform and contains the packages".to_owned());
        }
        let inner = any("core") || any("uncore");
        (inner && any("package-")).then(|| "a package contains its core and uncore".to_owned())
    }
}

/// `gpu0` of `gpu0`, `gpu0:energy` and `gpu0:instant`: several readings of one device.
fn device_of(rail: &str) -> &str {
    rail.split(':').next().unwrap_or(rail)
}

fn same_device(rails: &[&str]) -> bool {
    let first = rails.first().map(|rail| device_of(rail));
    rails.iter().all(|rail| Some(device_of(rail)) == first)
}

/// The reading that says most about short windows: instants, then the counter, then a mean.
fn best_of_device<'r>(rails: &[&'r str]) -> &'r str {
    let ending = |wanted: &str| rails.iter().find(|rail| rail.ends_with(wanted)).copied();
    ending(":instant").or_else(|| ending(":energy")).or(rails.first().copied()).unwrap_or("")
}

/// GPUs and packages: separate devices, whose sum means something.
fn is_device(rail: &str) -> bool {
    let lower = rail.to_ascii_lowercase();
    ["gpu", "0000", "package-", "dram"].iter().any(|start| lower.starts_with(start))
}

/// Whether these rails of a log may be added up.
///
/// # Errors
/// [`PowerError::Rail`] with the reason.
pub fn check_sum(all: &[&str], wanted: &[&str]) -> Result<(), PowerError> {
    let refuse = |problem: String, remedy: String| {
        Err(PowerError::Rail { path: String::new(), rail: wanted.join("+"), problem, remedy })
    };
    if wanted.len() < 2 {
        return Ok(());
    }
    let devices: Vec<&str> = wanted.iter().map(|rail| device_of(rail)).collect();
    if (1..devices.len()).any(|at| devices[..at].contains(&devices[at])) {
        return refuse(
            "the same device twice: its power would count twice".to_owned(),
            format!("Use --rail {}", wanted[0]),
        );
    }
    if let Some(problem) = rapl::nested(wanted) {
        return refuse(problem, "Add up packages and their dram only".to_owned());
    }
    let Some(board) = board_of(all) else {
        if wanted.iter().all(|rail| is_device(rail)) {
            return Ok(());
        }
        return refuse(
            "what contains what is not established for these rails, so a sum may count power twice"
                .to_owned(),
            "Name one rail".to_owned(),
        );
    };
    let both = |set: &[&str]| wanted.iter().any(|rail| set.contains(rail));
    let nested = both(board.total) && both(board.contained);
    if nested {
        return refuse(
            format!("must not be added up on {}: {}", board.name, board.why),
            format!("Use --rail {}", board.total.join("+")),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_of_the_boards() {
        let orin_nano = ["VDD_IN", "VDD_CPU_GPU_CV", "VDD_SOC"];
        assert_eq!(total(&orin_nano), Total::Rail("VDD_IN".to_owned()));
        assert!(check_sum(&orin_nano, &["VDD_IN", "VDD_SOC"]).is_err());
        assert!(check_sum(&orin_nano, &["VDD_CPU_GPU_CV", "VDD_SOC"]).is_ok());
        let agx = ["VDD_GPU_SOC", "VDD_CPU_CV", "VIN_SYS_5V0", "VDDQ_VDD2_1V8AO"];
        assert_eq!(total(&agx), Total::Sum(agx[..3].iter().map(|&rail| rail.to_owned()).collect()));
        assert!(check_sum(&agx, &["VIN_SYS_5V0", "VDDQ_VDD2_1V8AO"]).is_err());
        assert_eq!(total(&["GPU-a", "GPU-b"]), Total::Devices);
        assert_eq!(total(&["X", "Y"]), Total::Unknown);
    }

    #[test]
    fn readings_of_one_device_are_not_added_up() {
        let rails = ["gpu0", "gpu0:energy"];
        assert_eq!(total(&rails), Total::Rail("gpu0:energy".to_owned()));
        assert!(check_sum(&rails, &rails).is_err());
    }

    #[test]
    fn packages_contain_their_cores() {
        let rails = ["package-0:energy", "package-0/core:energy", "package-0/dram:energy"];
        let outer = [rails[0], rails[2]].map(str::to_owned).to_vec();
        assert_eq!(total(&rails), Total::Sum(outer));
        assert!(check_sum(&rails, &[rails[0], rails[1]]).is_err());
        assert!(check_sum(&rails, &[rails[0], rails[2]]).is_ok());
        assert_eq!(total(&["psys", "package-0"]), Total::Rail("psys".to_owned()));
    }
}
