//! Power logs: every format vector of the research (`power.md` section 7.1 to 7.5) by name, and every
//! log of other people read, or refused with its reason.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

#[path = "support/shared.rs"]
#[allow(dead_code, unreachable_pub, clippy::unwrap_used)]
mod shared;

use std::collections::BTreeMap;

use nsys_attrib::power::board::{self, Total};
use nsys_attrib::power::formats::{ina3221, tegrastats};
use nsys_attrib::power::integrate::{Integral, Method};
use nsys_attrib::power::series::Series;
use nsys_attrib::power::{
    Basis, Kind, LogFormat, PowerError, PowerLog, ReadHints, Source, TimeFormat, describe, text,
};
use nsys_attrib::units::{Nanos, UnixTime};

fn with(text: &str, hints: &ReadHints) -> Result<PowerLog, PowerError> {
    nsys_attrib::power::read(Source { path: "a.log", text }, hints)
}

fn read(text: &str) -> PowerLog {
    with(text, &ReadHints::default()).unwrap()
}

fn refused(text: &str) -> String {
    with(text, &ReadHints::default()).unwrap_err().to_string()
}

/// The total of the first reading, in mW.
fn total(log: &PowerLog) -> f64 {
    let names: Vec<&str> = log.rails.iter().map(|rail| rail.name.as_str()).collect();
    let rails = match board::total(&names) {
        Total::Rail(rail) => vec![rail],
        Total::Sum(rails) => rails,
        other => panic!("{other:?}"),
    };
    rails.iter().map(|rail| log.rail(rail).unwrap().samples[0].value * 1e3).sum::<f64>().round()
}

fn codes(log: &PowerLog) -> Vec<&str> {
    log.findings.iter().map(|finding| finding.code.as_str()).collect()
}

fn watts(log: &PowerLog, rail: &str) -> Vec<f64> {
    log.rail(rail).unwrap().samples.iter().map(|sample| sample.value).collect()
}

fn first_ns(log: &PowerLog) -> i64 {
    log.rails[0].samples[0].at_ns
}

// ---- 7.1 tegrastats

const TX1: &str = "RAM 1179/3983MB (lfb 120x4MB) IRAM 0/252kB(lfb 252kB) CPU [1%@102,4%@102,0%@102,0%@102] EMC_FREQ 7%@408 GR3D_FREQ 0%@76 APE 25 AO@42.5C CPU@37.5C GPU@39C PLL@37C Tdiode@42.75C PMIC@100C Tboard@42C thermal@38.5C VDD_IN 2532/2698 VDD_CPU 76/178 VDD_GPU 19/19";
const TX2: &str = "RAM 2344/7852MB (lfb 1154x4MB) SWAP 0/3926MB (cached 0MB) CPU [1%@345,off,off,1%@345,0%@345,2%@345] EMC_FREQ 4%@1600 GR3D_FREQ 0%@624 APE 150 PLL@37.5C MCPU@37.5C PMIC@100C Tboard@32C GPU@35C BCPU@37.5C thermal@36.5C Tdiode@34.25C VDD_SYS_GPU 152/152 VDD_SYS_SOC 687/687 VDD_4V0_WIFI 0/0 VDD_IN 3056/3056 VDD_SYS_CPU 152/152 VDD_SYS_DDR 883/883";
const TX2_SWAP: &str = "RAM 3276/7859MB (lfb 5x4MB) SWAP 1626/12122MB (cached 181MB) CPU [44%@1421,49%@2031,67%@2034,17%@1420,25%@1419,8%@1420] EMC_FREQ 1%@1866 GR3D_FREQ 0%@114 APE 150 MTS fg 1% bg 1% PLL@42.5C MCPU@42.5C PMIC@50C Tboard@38C GPU@39.5C BCPU@42.5C thermal@41.3C Tdiode@39.25C VDD_SYS_GPU 182/182 VDD_SYS_SOC 730/730 VDD_4V0_WIFI 0/0 VDD_IN 5297/5297 VDD_SYS_CPU 1917/1917 VDD_SYS_DDR 1241/1241";
const NANO: &str = "RAM 534/3964MB (lfb 98x4MB) SWAP 5/1982MB (cached 1MB) IRAM 0/252kB(lfb 252kB) CPU [16%@204,9%@204,0%@204,0%@204] EMC_FREQ 0%@204 GR3D_FREQ 0%@76 APE 25 PLL@34C CPU@36.5C PMIC@100C GPU@36C AO@39.5C thermal@36.25C POM_5V_IN 1022/1022 POM_5V_GPU 0/0 POM_5V_CPU 204/204";
const NANO_AVERAGES: &str = "RAM 534/3964MB (lfb 98x4MB) thermal@24.5C POM_5V_IN 2545/2547 POM_5V_GPU 0/0 POM_5V_CPU 549/529";
const AGX_XAVIER: &str = "RAM 721/31927MB (lfb 7291x4MB) SWAP 0/15963MB (cached 0MB) CPU [2%@1190,0%@1190,0%@1190,0%@1190,off,off,off,off] EMC_FREQ 0%@665 GR3D_FREQ 0%@318 APE 150 MTS fg 0% bg 0% AO@37.5C GPU@37.5C Tdiode@40C PMIC@100C AUX@36C CPU@37.5C thermal@36.9C Tboard@37C GPU 0/0 CPU 311/311 SOC 932/932 CV 0/0 VDDRQ 621/621 SYS5V 1482/1482";
const AGX_XAVIER_LOADED: &str = "RAM 721/31927MB (lfb 7291x4MB) Tboard@27C GPU 1155/1155 CPU 385/385 SOC 2504/2503 CV 0/0 VDDRQ 192/192 SYS5V 2692/2692";
const XAVIER_NX: &str = "RAM 4412/7772MB (lfb 237x4MB) SWAP 139/3886MB (cached 2MB) CPU [9%@1190,6%@1190,6%@1190,5%@1190,4%@1190,8%@1267] EMC_FREQ 10%@1600 GR3D_FREQ 62%@306 APE 150 MTS fg 0% bg 0% AO@41.5C GPU@43C PMIC@100C AUX@41.5C CPU@43.5C thermal@42.55C VDD_IN 4067/4067 VDD_CPU_GPU_CV 738/738 VDD_SOC 1353/1353";
const ORIN_NX: &str = "RAM 6334/15388MB (lfb 1770x4MB) SWAP 491/7694MB (cached 0MB) CPU [6%@729,9%@729,5%@729,16%@729,off,off,off,off] EMC_FREQ 0%@2133 GR3D_FREQ 0%@611 VIC_FREQ 729 APE 174 CV0@45.812C CPU@47.937C SOC2@46.093C SOC0@46.968C CV1@46.406C GPU@45.875C tj@48.875C SOC1@48.875C CV2@45.75C VDD_IN 5299mW/5299mW VDD_CPU_GPU_CV 773mW/773mW VDD_SOC 1424mW/1424mW";
const ORIN_NANO: &str = "11-15-2024 08:38:09 RAM 6185/7620MB (lfb 8x2MB) SWAP 851/3810MB (cached 1MB) CPU [15%@729,11%@729,14%@729,13%@729,11%@729,8%@729] EMC_FREQ 43%@2133 GR3D_FREQ 63%@[621] NVDEC off NVJPG off NVJPG1 off VIC off OFA off APE 200 cpu@53.968C soc2@52.437C soc0@50.75C gpu@53.343C tj@53.968C soc1@51.656C VDD_IN 12479mW/12479mW VDD_CPU_GPU_CV 4667mW/4667mW VDD_SOC 2817mW/2817mW";
const ORIN_NANO_IDLE: &str = "06-18-2025 11:25:24 RAM 3452/7620MB (lfb 25x4MB) SWAP 1518/16384MB (cached 174MB) CPU [1%@1420,2%@1420,0%@1420,2%@1420,2%@729,1%@729] GR3D_FREQ 0% cpu@50.031C soc2@49.031C soc0@50C gpu@49.031C tj@50.25C soc1@50.25C VDD_IN 4824mW/4824mW VDD_CPU_GPU_CV 518mW/518mW VDD_SOC 1475mW/1475mW";
const AVERAGE_WITHOUT_UNIT: &str = "12-23-2024 22:54:11 RAM 3162/7620MB (lfb 4x2MB) SWAP 0/3810MB (cached 0MB) CPU [1%@729,0%@729,0%@729,0%@729,off,off] GR3D_FREQ 1% cpu@62.843C soc2@61.968C soc0@60.625C gpu@61.687C tj@62.843C soc1@61.687C VDD_IN 3913mW/3922mW VDD_CPU_GPU_CV 598mW/598 VDD_SOC 1238mW/1237mW";
const AGX_ORIN_ROOT: &str = "01-03-2023 16:07:54 RAM 2257/30536MB (lfb 5392x4MB) CV2@-256C VDD_GPU_SOC 2390mW/2390mW VDD_CPU_CV 796mW/796mW VIN_SYS_5V0 3522mW/3522mW NC 0mW/0mW VDDQ_VDD2_1V8AO 301mW/301mW NC 0mW/0mW";
const AGX_ORIN_USER: &str =
    "01-03-2023 16:10:22 RAM 2257/30536MB (lfb 5392x4MB) SOC1@38.843C CV2@-256C";
const AGX_ORIN_BLANKS: &str = "RAM 29114/30697MB (lfb 3x4MB)    SWAP 4915/15348MB (cached 1MB) CPU [1%@729] EMC_FREQ 1%@2133 GR3D_FREQ 0%@[305,305] NVENC      off  NVDEC    off APE           174        cpu@53.062C soc1@48.968C    VDD_GPU_SOC 3205mW/3205mW VDD_CPU_CV 4405mW/4405mW VIN_SYS_5V0 4767mW/4767mW VDDQ_VDD2_1V8AO 0mW/0mW";
const JETPACK_7: &str = "07-25-2026 09:08:28 RAM 20642/62817MB (lfb 1x2MB) CPU [23%@2201,27%@2201] EMC_FREQ 3%@3199 GR3D_FREQ 12%@[1300,1300] NVENC0 off PVA0_FREQ off APE 174 cpu@52.968C/52.968C soc2@48.406C/48.406C soc0@49.531C/49.531C gpu@47.625C/47.625C VDD_GPU_SOC 5139mW/5139mW/5139mW VDD_CPU_CV 3268mW/3268mW/3268mW VIN_SYS_5V0 5500mW/5500mW/5500mW";

#[test]
fn v7_1_01_tx1() {
    let log = read(TX1);
    assert_eq!((log.format, log.basis), (LogFormat::Tegrastats, Basis::Lines));
    let rails: Vec<(String, f64, f64)> = tegrastats::rails_of(TX1)
        .into_iter()
        .map(|rail| (rail.name, rail.now_mw, rail.average_mw))
        .collect();
    let expected = [("VDD_IN", 2532.0, 2698.0), ("VDD_CPU", 76.0, 178.0), ("VDD_GPU", 19.0, 19.0)];
    assert_eq!(rails, expected.map(|(name, now, average)| (name.to_owned(), now, average)));
    assert_eq!(total(&log), 2532.0);
}

#[test]
fn v7_1_02_tx2_total_in_the_middle() {
    let log = read(TX2);
    assert_eq!((log.rails.len(), total(&log)), (6, 3056.0));
}

#[test]
fn v7_1_03_tx2_with_mts() {
    assert_eq!(total(&read(TX2_SWAP)), 5297.0);
}

#[test]
fn v7_1_04_and_05_nano() {
    assert_eq!(total(&read(NANO)), 1022.0);
    assert_eq!(read(NANO).rails.len(), 3);
    assert_eq!(total(&read(NANO_AVERAGES)), 2545.0);
}

#[test]
fn v7_1_06_and_07_agx_xavier_bare_names_are_summed() {
    let log = read(AGX_XAVIER);
    assert_eq!((log.rails.len(), total(&log)), (6, 3346.0));
    assert_eq!(total(&read(AGX_XAVIER_LOADED)), 6928.0);
}

#[test]
fn v7_1_08_xavier_nx_is_not_the_sum() {
    assert_eq!(total(&read(XAVIER_NX)), 4067.0);
    let names = ["VDD_IN", "VDD_CPU_GPU_CV", "VDD_SOC"];
    let error = board::check_sum(&names, &names).unwrap_err().to_string();
    assert!(error.contains("VDD_IN is the input of the module and contains"), "{error}");
}

#[test]
fn v7_1_09_orin_nx_frequencies_are_no_rails() {
    let log = read(ORIN_NX);
    assert_eq!((log.rails.len(), total(&log)), (3, 5299.0));
}

#[test]
fn v7_1_10_orin_nano_loaded() {
    let log = read(ORIN_NANO);
    assert_eq!((log.basis, first_ns(&log)), (Basis::Local, 1_731_659_889_000_000_000));
    assert_eq!(total(&log), 12479.0);
    let load = tegrastats::gpu_load(ORIN_NANO).unwrap();
    assert_eq!((load.percent, load.mhz), (63.0, Some(621.0)));
}

#[test]
fn v7_1_11_orin_nano_idle() {
    let log = read(ORIN_NANO_IDLE);
    assert_eq!(first_ns(&log), 1_750_245_924_000_000_000);
    assert_eq!(total(&log), 4824.0);
}

#[test]
fn v7_1_12_the_unit_of_one_side_carries_over() {
    let rails = tegrastats::rails_of(AVERAGE_WITHOUT_UNIT);
    let now: Vec<f64> = rails.iter().map(|rail| rail.now_mw).collect();
    let average: Vec<f64> = rails.iter().map(|rail| rail.average_mw).collect();
    assert_eq!((now, average), (vec![3913.0, 598.0, 1238.0], vec![3922.0, 598.0, 1237.0]));
}

#[test]
fn v7_1_13_agx_orin_nc_is_dropped_and_vddq_not_counted_twice() {
    let log = read(AGX_ORIN_ROOT);
    assert_eq!((log.rails.len(), total(&log)), (4, 6708.0));
}

#[test]
fn v7_1_14_no_rails_is_a_diagnosis() {
    let error = refused(AGX_ORIN_USER);
    assert!(error.contains("no power rails") && error.contains("sudo"), "{error}");
}

#[test]
fn v7_1_15_runs_of_blanks() {
    assert_eq!(total(&read(AGX_ORIN_BLANKS)), 12377.0);
    assert_eq!(tegrastats::gpu_load(AGX_ORIN_BLANKS).unwrap().mhz, Some(305.0));
}

#[test]
fn v7_1_16_jetpack_7_third_number_is_not_used() {
    let log = read(JETPACK_7);
    assert_eq!((total(&log), first_ns(&log)), (13907.0, 1_784_970_508_000_000_000));
}

#[test]
fn v7_1_17_a_bare_fragment() {
    let hints = ReadHints { format: Some(LogFormat::Tegrastats), ..ReadHints::default() };
    let text = "VDD_IN 4970mW/4970mW VDD_CPU_GPU_CV 1000mW/1000mW VDD_SOC 1400mW/1400mW";
    assert_eq!(total(&with(text, &hints).unwrap()), 4970.0);
}

#[test]
fn v7_1_18_a_torn_line_at_the_end_and_in_the_middle() {
    let torn = "11-15-2024 08:38:10 RAM 6185/7620MB (lfb 8x2MB) VDD_IN 12";
    let log = read(&format!("{ORIN_NANO}\n{torn}"));
    assert_eq!((watts(&log, "VDD_IN").len(), codes(&log)), (1, vec!["power-log-torn"]));
    let error = refused(&format!("{ORIN_NANO}\n{torn}\n{ORIN_NANO}"));
    assert!(error.contains("line 2"), "{error}");
}

#[test]
fn v7_1_19_joined_lines() {
    let error = refused(&format!("{ORIN_NANO}{ORIN_NANO}"));
    assert!(error.contains("line 1") && error.contains("second time stamp"), "{error}");
}

#[test]
fn v7_1_20_a_wrapper_prefix_is_unix_time() {
    let bare = ORIN_NANO.strip_prefix("11-15-2024 08:38:09 ").unwrap();
    let log = read(&format!("1731659889.125 {bare}"));
    assert_eq!((log.basis, first_ns(&log)), (Basis::Unix, 1_731_659_889_125_000_000));
    assert_eq!(first_ns(&read(&format!("1731659889125 {bare}"))), 1_731_659_889_125_000_000);
}

#[test]
fn v7_1_21_blank_and_error_lines_are_counted() {
    let log = read(&format!("{ORIN_NANO}\n\ntegrastats: error\n"));
    assert_eq!((log.skipped_lines, watts(&log, "VDD_IN").len()), (2, 1));
}

// ---- 7.2 nvidia-smi csv

const TWO_GPUS: &str = "timestamp, index, power.draw [W], temperature.gpu, clocks.current.sm [MHz], clocks.current.memory [MHz], utilization.gpu [%], utilization.memory [%]\n2026/03/07 00:20:37.071, 0, 76.78 W, 30, 345 MHz, 3201 MHz, 0 %, 0 %\n2026/03/07 00:20:37.071, 1, 76.08 W, 29, 345 MHz, 3201 MHz, 0 %, 0 %\n";
const INSTANT: &str = "timestamp, clocks.current.sm [MHz], power.draw.instant [W], power.draw.average [W], power.limit [W]\n2025/05/19 07:29:01.123, 2430 MHz, 612.40 W, 598.12 W, 1000.00 W\n";

#[test]
fn v7_2_01_two_devices() {
    let log = read(TWO_GPUS);
    assert_eq!((log.format, log.basis), (LogFormat::NvidiaSmi, Basis::Local));
    assert_eq!(first_ns(&log), 1_772_842_837_071_000_000);
    assert_eq!((watts(&log, "gpu0"), watts(&log, "gpu1")), (vec![76.78], vec![76.08]));
    let second = Some(Nanos::from_ns(1_000_000_000));
    assert_eq!(log.rails[0].kind, Kind::TrailingAvg { window: second });
    // The sum only on request.
    assert_eq!(board::total(&["gpu0", "gpu1"]), Total::Devices);
    assert!(board::check_sum(&["gpu0", "gpu1"], &["gpu0", "gpu1"]).is_ok());
    let old = ReadHints { instant_gpu: true, ..ReadHints::default() };
    assert_eq!(with(TWO_GPUS, &old).unwrap().rails[0].kind, Kind::Instant);
}

#[test]
fn v7_2_02_whole_watts() {
    let log = read(
        "timestamp, index, power.draw [W]\n2026/09/02 00:00:00.000, 0, 100 W\n2026/09/02 00:00:01.000, 0, 200 W\n",
    );
    assert_eq!(watts(&log, "gpu0"), [100.0, 200.0]);
    let series = Series::of(&log.rails[0]);
    let gap = Nanos::from_ns(3_000_000_000);
    let integral = Integral::new(&series.times, &series.watts, Method::Trapezoid, gap).unwrap();
    assert!((integral.over(series.times[0], series.times[1]).joules - 150.0).abs() < 1e-9);
}

#[test]
fn v7_2_03_instant_is_chosen() {
    let log = read(INSTANT);
    assert_eq!((log.rails.len(), watts(&log, "gpu")), (1, vec![612.40]));
    assert_eq!(log.rails[0].kind, Kind::Instant);
}

#[test]
fn v7_2_04_nounits() {
    let log = read("timestamp, power.draw\n2025/05/19 07:29:01.123, 61.40\n");
    assert_eq!(watts(&log, "gpu"), [61.40]);
}

#[test]
fn v7_2_05_noheader_nounits_needs_columns() {
    let text = "2025/05/19 07:29:01.123, 0, 61.40\n";
    assert!(refused(text).contains("--columns timestamp,power.draw"));
    let columns = ["timestamp", "index", "power.draw"].map(str::to_owned).to_vec();
    let log = with(text, &ReadHints { columns: Some(columns), ..ReadHints::default() }).unwrap();
    assert_eq!(watts(&log, "gpu0"), [61.40]);
    // A cell in W can be found alone.
    assert_eq!(watts(&read("2025/05/19 07:29:01.123, 45, 61.40 W\n"), "gpu"), [61.40]);
}

#[test]
fn v7_2_06_to_08_missing_is_not_zero() {
    for missing in ["[N/A]", "[Not Supported]", "[Unknown Error]"] {
        let head = "timestamp, index, power.draw [W]\n2025/05/19 07:29:00.123, 0, 5.00 W\n";
        let log = read(&format!("{head}2025/05/19 07:29:01.123, 0, {missing}\n"));
        assert_eq!((watts(&log, "gpu0"), log.rails[0].missing), (vec![5.0], 1), "{missing}");
    }
    let all = "timestamp, index, power.draw [W]\n2025/05/19 07:29:01.123, 0, [Not Supported]\n";
    assert!(refused(all).contains("not available"));
}

#[test]
fn v7_2_09_a_header_in_the_middle() {
    let log = read(
        "timestamp, power.draw [W]\n2025/05/19 07:29:01.123, 1 W\ntimestamp, power.draw [W]\n2025/05/19 07:29:02.123, 2 W\n",
    );
    assert_eq!(watts(&log, "gpu"), [1.0, 2.0]);
    assert!(codes(&log).contains(&"power-logger-restarted"));
}

#[test]
fn v7_2_10_a_torn_last_row() {
    let log =
        read("timestamp, power.draw [W]\n2025/05/19 07:29:01.123, 1 W\n2025/05/19 07:29:02.1");
    assert_eq!(watts(&log, "gpu"), [1.0]);
    assert!(codes(&log).contains(&"power-log-torn"));
}

#[test]
fn v7_2_11_several_gpus_without_identity() {
    let error = refused(
        "timestamp, power.draw [W]\n2025/05/19 07:29:01.123, 1 W\n2025/05/19 07:29:01.123, 2 W\n",
    );
    assert!(error.contains("several GPUs without index or uuid"), "{error}");
}

#[test]
fn v7_2_12_crlf_and_utf_16() {
    let windows = INSTANT.replace('\n', "\r\n");
    assert_eq!(read(&windows).rails, read(INSTANT).rails);
    let utf16: Vec<u8> =
        format!("\u{feff}{windows}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(read(&text::decode(&utf16)).rails, read(INSTANT).rails);
}

#[test]
fn v7_2_13_keyed_by_uuid() {
    let log = read(
        "timestamp, index, uuid, power.draw [W]\n2025/05/19 07:29:01.123, 0, GPU-6b1c, 1 W\n2025/05/19 07:29:02.123, 1, GPU-6b1c, 2 W\n",
    );
    assert_eq!(watts(&log, "GPU-6b1c"), [1.0, 2.0]);
}

#[test]
fn v7_2_14_the_update_period_of_the_sensor() {
    let mut text = "timestamp, power.draw.instant [W]\n".to_owned();
    for i in 0..60 {
        text += &format!("2025/05/19 07:29:01.{:03}, {} W\n", i * 10, 50 + i / 10);
    }
    let about = describe("a.log", &read(&text));
    let rail = &about.rails[0];
    assert_eq!(rail.period_ns, Some(Nanos::from_ns(10_000_000)));
    assert_eq!(rail.effective_ns, Some(Nanos::from_ns(100_000_000)));
}

#[test]
fn v7_2_15_columns_by_name_in_any_order() {
    let log = read(
        "timestamp, clocks.sm [MHz], POWER.DRAW [W], index\n2025/05/19 07:29:01.123, 345 MHz, 7.5 W, 3\n",
    );
    assert_eq!(watts(&log, "gpu3"), [7.5]);
}

#[test]
fn v7_2_16_end_of_summer_time() {
    let error = refused(
        "timestamp, power.draw [W]\n2025/10/26 02:59:59.900, 1 W\n2025/10/26 02:00:00.000, 2 W\n",
    );
    assert!(error.contains("--log-tz") && error.contains("fixed offset"), "{error}");
}

#[test]
fn v7_2_17_zero_throughout_is_said() {
    let log = read(
        "timestamp, power.draw [W]\n2025/05/19 07:29:01.123, 0.00 W\n2025/05/19 07:29:02.123, 0.00 W\n",
    );
    let about = describe("a.log", &log);
    assert!(about.findings.iter().any(|finding| finding.code == "power-all-zero"));
}

// ---- 7.3 nvidia-smi dmon

const DMON: &str = "# gpu   pwr gtemp mtemp    sm   mem   enc   dec  mclk  pclk\n# Idx     W     C     C     %     %     %     %   MHz   MHz\n";

#[test]
fn v7_3_01_to_06_rows() {
    let rows = [
        ("    0    70    48     -     5     1     0     0  7000  1350", 70.0),
        ("    0   270    53     -    10     1     0     0  7000  1875", 270.0),
        ("    0     9    32     -     0     0     0     0   405   139", 9.0),
        ("    0    29    69     -     -     -     0     0  4996  1845", 29.0),
        ("    0    30    69     -     -     -     0     0  4995  1844", 30.0),
        ("    0    47    36     -     0     0     0     0  3615   999", 47.0),
    ];
    for (row, expected) in rows {
        let log = read(&format!("{DMON}{row}\n"));
        assert_eq!((log.format, watts(&log, "gpu0")), (LogFormat::Dmon, vec![expected]));
        assert!(codes(&log).contains(&"power-in-whole-watts"));
    }
}

#[test]
fn v7_3_07_many_columns() {
    let text = "# gpu pwr gtemp mtemp sm mem enc dec mclk pclk sbecc dbecc pci rxpci txpci\n# Idx W C C % % % % MHz MHz errs errs errs MB/s MB/s\n    1    85    46     -    29     4     0     0  2505   849     0     0     0     -     -\n";
    assert_eq!(watts(&read(text), "gpu1"), [85.0]);
}

#[test]
fn v7_3_08_the_header_decides() {
    let text = "# gpu pwr gtemp mtemp sm mem enc dec mclk pclk fb bar1\n# Idx W C C % % % % MHz MHz MB MB\n0     25     29      -     1      1      0      0   4006   1506    891     22\n";
    assert_eq!(watts(&read(text), "gpu0"), [25.0]);
}

#[test]
fn v7_3_09_date_and_time() {
    let log = read(
        "#Date       Time        gpu   pwr\n#YYYYMMDD   HH:MM:SS    Idx     W\n 20250519   07:29:01      0    61\n",
    );
    assert_eq!((log.basis, first_ns(&log)), (Basis::Local, 1_747_639_741_000_000_000));
}

#[test]
fn v7_3_10_midnight() {
    let log = read(
        "#Time        gpu   pwr\n#HH:MM:SS    Idx     W\n 23:59:59      0    61\n 00:00:00      0    62\n",
    );
    assert_eq!(log.basis, Basis::TimeOfDay);
    let times: Vec<i64> = log.rails[0].samples.iter().map(|sample| sample.at_ns).collect();
    assert_eq!(times[1] - times[0], 1_000_000_000);
}

#[test]
fn v7_3_11_no_power_column() {
    let error = refused("# gpu    sm   mem\n# Idx     %     %\n    0     1     2\n");
    assert!(error.contains("no power in this log") && error.contains("-s p"), "{error}");
}

#[test]
fn v7_3_12_and_13_repeated_headers_and_missing_power() {
    let log = read(&format!(
        "{DMON}    0    70    48     -     5     1     0     0  7000  1350\n{DMON}    0     -    48     -     5     1     0     0  7000  1350\n"
    ));
    assert_eq!((watts(&log, "gpu0"), log.rails[0].missing), (vec![70.0], 1));
}

// ---- 7.4 INA3221

fn tree(files: &[(&str, &str)]) -> BTreeMap<String, String> {
    files.iter().map(|(path, text)| ((*path).to_owned(), format!("{text}\n"))).collect()
}

fn orin_nano(hwmon: &str) -> BTreeMap<String, String> {
    let files = [
        ("name", "ina3221"),
        ("in1_label", "VDD_IN"),
        ("in1_input", "4984"),
        ("curr1_input", "968"),
        ("in2_label", "VDD_CPU_GPU_CV"),
        ("in2_input", "4984"),
        ("curr2_input", "104"),
        ("in3_label", "VDD_SOC"),
        ("in3_input", "4984"),
        ("curr3_input", "296"),
        ("in4_input", "4840"),
        ("in7_label", "sum of shunt voltages"),
        ("curr4_input", "1368"),
    ];
    files
        .iter()
        .map(|(name, text)| (format!("1-0040/hwmon/{hwmon}/{name}"), format!("{text}\n")))
        .collect()
}

fn powers(tree: &BTreeMap<String, String>) -> Vec<(String, Option<f64>)> {
    ina3221::rails(tree)
        .into_iter()
        .map(|rail| (rail.name, rail.power.map(|power| (power.as_mw() * 1e3).round() / 1e3)))
        .collect()
}

#[test]
fn v7_4_01_to_05_and_13_orin_nano() {
    let expected = [("VDD_IN", 4824.512), ("VDD_CPU_GPU_CV", 518.336), ("VDD_SOC", 1475.264)]
        .map(|(name, mw)| (name.to_owned(), Some(mw)));
    assert_eq!(powers(&orin_nano("hwmon3")), expected);
    assert_eq!(powers(&orin_nano("hwmon1")), expected);
}

#[test]
fn v7_4_06_a_disabled_channel_is_missing() {
    let files = [
        ("1-0040/hwmon/hwmon3/in2_label", "VDD_CPU_GPU_CV"),
        ("1-0040/hwmon/hwmon3/in2_enable", "0"),
        ("1-0040/hwmon/hwmon3/curr2_input", "104"),
    ];
    assert_eq!(powers(&tree(&files)), [("VDD_CPU_GPU_CV".to_owned(), None)]);
}

#[test]
fn v7_4_07_and_08_jetpack_4_direct_power_and_nc() {
    let files = [
        ("6-0040/iio:device0/rail_name_0", "POM_5V_IN"),
        ("6-0040/iio:device0/in_voltage0_input", "5000"),
        ("6-0040/iio:device0/in_current0_input", "204"),
        ("6-0040/iio:device0/in_power0_input", "1022"),
        ("6-0040/iio:device0/rail_name_1", "NC"),
    ];
    assert_eq!(powers(&tree(&files)), [("POM_5V_IN".to_owned(), Some(1022.0))]);
}

#[test]
fn v7_4_09_agx_orin_two_chips() {
    let labels = [
        ("1-0040/hwmon/hwmon3/in1_label", "VDD_GPU_SOC"),
        ("1-0040/hwmon/hwmon3/in2_label", "VDD_CPU_CV"),
        ("1-0040/hwmon/hwmon3/in3_label", "VIN_SYS_5V0"),
        ("1-0041/hwmon/hwmon4/in1_label", "NC"),
        ("1-0041/hwmon/hwmon4/in2_label", "VDDQ_VDD2_1V8AO"),
        ("1-0041/hwmon/hwmon4/in3_label", "NC"),
    ];
    let rails = ina3221::rails(&tree(&labels));
    let names: Vec<&str> = rails.iter().map(|rail| rail.name.as_str()).collect();
    let Total::Sum(total) = board::total(&names) else { panic!("{names:?}") };
    assert_eq!(total, ["VDD_GPU_SOC", "VDD_CPU_CV", "VIN_SYS_5V0"]);
    assert_eq!(rails[3].chip, "1-0041");
}

#[test]
fn v7_4_10_and_11_negative_current_and_units_in_the_text() {
    let files = [
        ("1-0040/hwmon/hwmon3/in1_label", "VDD_IN"),
        ("1-0040/hwmon/hwmon3/in1_input", "5000"),
        ("1-0040/hwmon/hwmon3/curr1_input", "-8 ma"),
    ];
    let rails = ina3221::rails(&tree(&files));
    assert_eq!(rails[0].power.map(nsys_attrib::units::Milliwatts::as_mw), Some(-40.0));
    assert!(rails[0].negative);
}

#[test]
fn v7_4_12_cycle_and_duty() {
    assert_eq!(ina3221::cycle(1).length, Nanos::from_ns(6_600_000));
    assert_eq!(ina3221::cycle(16).length, Nanos::from_ns(105_600_000));
    assert!((ina3221::cycle(1).duty - 1.0 / 6.0).abs() < 1e-12);
}

/// Two readings of the files of an Orin Nano, 100 ms apart; the second read of VDD_SOC failed.
const RECORDING: &str = "\
1731659889.125000000
/sys/bus/i2c/drivers/ina3221/1-0040/hwmon/hwmon3/in1_label:VDD_IN
/sys/bus/i2c/drivers/ina3221/1-0040/hwmon/hwmon3/in1_input:4984
/sys/bus/i2c/drivers/ina3221/1-0040/hwmon/hwmon3/curr1_input:968
/sys/bus/i2c/drivers/ina3221/1-0040/hwmon/hwmon3/in3_label:VDD_SOC
/sys/bus/i2c/drivers/ina3221/1-0040/hwmon/hwmon3/in3_input:4984
/sys/bus/i2c/drivers/ina3221/1-0040/hwmon/hwmon3/curr3_input:296
1731659889.225000000
/sys/bus/i2c/drivers/ina3221/1-0040/hwmon/hwmon3/in1_input:4984
/sys/bus/i2c/drivers/ina3221/1-0040/hwmon/hwmon3/curr1_input:1000
/sys/bus/i2c/drivers/ina3221/1-0040/hwmon/hwmon3/in3_input:4984
";

#[test]
fn v7_4_14_a_failed_read_is_a_missing_reading() {
    let log = read(RECORDING);
    assert_eq!((log.format, log.basis), (LogFormat::Ina3221, Basis::Unix));
    let mw: Vec<f64> = watts(&log, "VDD_IN").iter().map(|w| (w * 1e6).round() / 1e3).collect();
    assert_eq!(mw, [4824.512, 4984.0]);
    let soc = log.rail("VDD_SOC").unwrap();
    assert_eq!((soc.samples.len(), soc.missing), (1, 1));
    let times: Vec<i64> = log.rails[0].samples.iter().map(|sample| sample.at_ns).collect();
    assert_eq!(times, [1_731_659_889_125_000_000, 1_731_659_889_225_000_000]);
    let labels = describe("a.log", &log);
    assert_eq!(labels.total, ["VDD_IN"]);
}

#[test]
fn a_recording_of_ina3221_files_of_jetpack_4_or_without_times() {
    let files = "/sys/bus/i2c/drivers/ina3221x/6-0040/iio:device0/rail_name_0:POM_5V_IN\n\
        /sys/bus/i2c/drivers/ina3221x/6-0040/iio:device0/in_power0_input:1022\n";
    let log = read(&files.repeat(2));
    assert_eq!((log.basis, watts(&log, "POM_5V_IN")), (Basis::Lines, vec![1.022, 1.022]));
    let twice = format!("1731659889.1\n{}", files.repeat(2));
    assert!(refused(&twice).contains("comes twice after one time"));
}

// ---- 7.5 others

#[test]
fn a_recording_of_rapl_counters_unwraps_and_names_its_zones() {
    let zone = |zone: &str, name: &str, uj: u64| {
        format!(
            "/sys/class/powercap/{zone}/name:{name}\n/sys/class/powercap/{zone}/max_energy_range_uj:262143328850\n\
             /sys/class/powercap/{zone}/energy_uj:{uj}\n"
        )
    };
    let both = |package: u64, dram: u64| {
        zone("intel-rapl:0", "package-0", package) + &zone("intel-rapl:0:1", "dram", dram)
    };
    let text =
        format!("1731659889.0\n{}1731659890.0\n{}", both(262_143_000_000, 5), both(500_000, 7));
    let log = read(&text);
    assert_eq!((log.format, log.basis), (LogFormat::Rapl, Basis::Unix));
    let names: Vec<&str> = log.rails.iter().map(|rail| rail.name.as_str()).collect();
    assert_eq!(names, ["package-0:energy", "package-0/dram:energy"]);
    let joules = watts(&log, "package-0:energy");
    assert!((joules[1] - joules[0] - 0.828_850).abs() < 1e-12);
    // Ten minutes later the counter may have wrapped more than once.
    let late = format!("1731659889.0\n{}1731660489.0\n{}", both(1, 1), both(2, 2));
    let log = read(&late);
    assert!(codes(&log).contains(&"counter-wraps-lost"));
    assert_eq!(log.rail("package-0:energy").unwrap().missing, 1);
}

#[test]
fn columns_of_dcgmi_can_be_named() {
    let text = "#Entity   PWR155   X\nID        W       mJ\nGPU 0    120.5   1000\nGPU 0    120.5   1100\n";
    assert!(refused(text).contains("no power readings"));
    assert!(refused(" \n").contains("the log is empty"));
    let columns = Some(["155", "156"].map(str::to_owned).to_vec());
    let hints = ReadHints { columns, format: Some(LogFormat::Dcgmi), ..ReadHints::default() };
    let log = with(text, &hints).unwrap();
    assert_eq!((watts(&log, "gpu0")[0], watts(&log, "gpu0:energy").len()), (120.5, 2));
}

#[test]
fn v7_5_01_and_02_zeus() {
    let log =
        read("start_time,window_name,elapsed_time,gpu0_energy\n1731659889.5,latency,0.0532,0.0\n");
    assert_eq!((log.format, codes(&log)), (LogFormat::Zeus, vec!["window-shorter-than-counter"]));
    assert_eq!(log.windows[0].energy_j, [("gpu0".to_owned(), None)]);
    let two = read(
        "start_time,window_name,elapsed_time,gpu0_energy,gpu1_energy\n1731659889.5,outer,53.2,9576.0,9310.0\n",
    );
    let about = describe("a.log", &two);
    let mean: Vec<f64> = about.windows.iter().map(|one| one.mean_mw.unwrap().as_watts()).collect();
    assert!((mean[0] - 180.0).abs() < 1e-9 && (mean[1] - 175.0).abs() < 1e-9);
}

#[test]
fn v7_5_03_codecarbon_kwh() {
    let text = "timestamp,project_name,run_id,duration,gpu_energy,energy_consumed\n2024-01-01T00:10:00,p,r,355.46638,8.236909446627563e-05,0.0004047892176375\n";
    let log = read(text);
    let energy = &log.windows[0].energy_j;
    assert!((energy[0].1.unwrap() - 296.53).abs() < 0.005);
    assert!((energy[3].1.unwrap() - 1457.24).abs() < 0.005);
}

#[test]
fn v7_5_06_to_08_dcgmi() {
    let head = "#Entity   POWER   TOTEC   SMCLK\nID        W       mJ      MHz\n";
    let log = read(&format!(
        "{head}GPU 0    120.5   1000   1410\nGPU 1    130.5   2000   1400\nGPU 0    121.5   1100   1410\nGPU 1    131.5   2100   1400\n"
    ));
    let energy = watts(&log, "gpu0:energy");
    assert!((energy[1] - energy[0] - 0.1).abs() < 1e-12);
    assert_eq!(watts(&log, "gpu1"), [130.5, 131.5]);
    let blank = read(&format!("{head}GPU 0    120.5   9223372036854775792   1410\n"));
    assert_eq!(blank.rail("gpu0:energy").unwrap().missing, 1);
    assert!(refused(&format!("{head}GPU 0    120.5   1000\n")).contains("line 3"));
}

#[test]
fn v7_5_09_and_10_prometheus() {
    let text = "DCGM_FI_DEV_POWER_USAGE{gpu=\"0\",UUID=\"GPU-aaa\"} 320\n";
    assert!(refused(text).contains("--scrape-time"));
    let scraped = ReadHints {
        scrape_time: Some(UnixTime::from_unix_ns(1_731_659_889_000_000_000)),
        ..ReadHints::default()
    };
    assert_eq!(watts(&with(text, &scraped).unwrap(), "GPU-aaa"), [320.0]);
    let log = read("DCGM_FI_DEV_POWER_USAGE{gpu=\"0\"} 312.4 1731659889125\n");
    assert_eq!((first_ns(&log), watts(&log, "gpu0")), (1_731_659_889_125_000_000, vec![312.4]));
}

#[test]
fn v7_5_11_jtop() {
    let log = read(
        "time,uptime,CPU1,GPU,Power VDD_CPU_GPU_CV,Power VDD_SOC,Power TOT\n2025-06-18 11:25:24.250113,\"1 day, 2:03:04.500000\",1,0,518,1475,4824\n2025-06-18 11:25:25,\"1 day, 2:03:05.500000\",1,0,518,1475,4824\n",
    );
    assert_eq!((log.format, total(&log)), (LogFormat::Jtop, 4824.0));
    assert_eq!(log.rails[0].samples[0].at_ns, 1_750_245_924_250_113_000);
    assert_eq!(log.rails[0].samples[1].at_ns, 1_750_245_925_000_000_000);
}

#[test]
fn v7_5_12_monsoon() {
    let log = read(
        "Time (s),Main Avg Current (mA),Main Avg Power (mW),Main Avg Voltage (V)\n0.0002,968.1,4824.9,4.984\n",
    );
    assert_eq!((log.basis, first_ns(&log)), (Basis::Relative, 200_000));
    assert!((watts(&log, "Main")[0] - 4.8249).abs() < 1e-12);
}

#[test]
fn v7_5_13_generic_volts_times_amperes() {
    let hints = ReadHints {
        time_format: Some(TimeFormat::UnixMs),
        power_columns: Some("V=v,I=i".to_owned()),
        ..ReadHints::default()
    };
    let log = with("t,v,i\n1731659889125,19.0,0.65\n", &hints).unwrap();
    assert_eq!((log.basis, first_ns(&log)), (Basis::Unix, 1_731_659_889_125_000_000));
    assert!((watts(&log, "V*I")[0] - 12.35).abs() < 1e-12);
}

#[test]
fn v7_5_14_our_own_file() {
    let log = read(
        "# schema=nsys-attrib-power/1\n# source=ina3221\nmono_ns,real_ns,dur_ns,rail,mv,ma,mw,energy_uj\n1343149969776,1795420813474946308,6600000,VDD_IN,4984,968,4824,\n",
    );
    assert_eq!((log.format, watts(&log, "VDD_IN")), (LogFormat::Own, vec![4.824]));
    assert_eq!(first_ns(&log), 1_795_420_813_474_946_308 - 3_300_000);
}

// ---- other people's logs

fn shared_log(name: &str) -> Option<Result<PowerLog, PowerError>> {
    shared_with(name, &ReadHints::default())
}

fn shared_with(name: &str, hints: &ReadHints) -> Option<Result<PowerLog, PowerError>> {
    let path = shared::shared_folder().map(|folder| folder.join("power").join(name));
    let Some(bytes) = path.and_then(|path| std::fs::read(path).ok()) else {
        shared::skipped(&format!("{name}: no folder of shared power logs"));
        return None;
    };
    Some(nsys_attrib::power::read(Source { path: name, text: &text::decode(&bytes) }, hints))
}

#[test]
fn every_shared_log_is_read_or_refused_with_a_reason() {
    // Name, format, rails, readings of the first rail.
    let read = [
        ("codecarbon-jetson.csv", LogFormat::CodeCarbon, 0, 0),
        ("epoch-ns-watts.csv", LogFormat::Csv, 1, 20),
        ("jetson-mw-datetime-11ms.csv", LogFormat::Csv, 1, 3744),
        ("jetson-xavier-unit-mislabelled.csv", LogFormat::Csv, 1, 10),
        ("nvidia-smi-50ms-units.csv", LogFormat::NvidiaSmi, 1, 0),
        ("nvidia-smi-a4500-paired-resnet.csv", LogFormat::NvidiaSmi, 1, 65),
        ("tegrastats-agx-orin64-ts.log", LogFormat::Tegrastats, 3, 15),
        ("tegrastats-agx-xavier-jp44-nots.log", LogFormat::Tegrastats, 6, 454),
        ("tegrastats-jetson-nano-pom5v-nots.log", LogFormat::Tegrastats, 3, 114),
        ("tegrastats-tx2-dateheader.log", LogFormat::Tegrastats, 6, 432),
        ("tegrastats-tx2-parsed.csv", LogFormat::Csv, 6, 306),
        ("tegrastats-xavier-nx-ts.log", LogFormat::Tegrastats, 3, 103),
    ];
    for (name, format, rails, samples) in read {
        let Some(found) = shared_log(name) else { return };
        let log = found.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((log.format, log.rails.len()), (format, rails), "{name}");
        if samples > 0 {
            assert_eq!(log.rails[0].samples.len(), samples, "{name}");
        }
    }
    let refused = [
        ("nvml-epoch-2gpu-wide.csv", "no column names a unit of power"),
        ("orinnano-board-summary-deeponet.csv", "no column is a time"),
        ("agx-orin-jtop-like-wide.csv", "no column names a unit of power"),
        ("gh200-headerless-smi-named-tegrastats.log", "nvidia-smi csv without a header"),
    ];
    for (name, reason) in refused {
        let Some(found) = shared_log(name) else { return };
        let error = found.unwrap_err().to_string();
        assert!(error.contains(reason), "{name}: {error}");
    }
}

#[test]
fn shared_logs_that_need_a_word_are_read_with_it() {
    let smi = ["timestamp", "power.draw", "memory.used", "temperature.gpu", "utilization.gpu"];
    let columns = Some(smi.map(str::to_owned).to_vec());
    let hints = ReadHints { columns, ..ReadHints::default() };
    let Some(log) = shared_with("gh200-headerless-smi-named-tegrastats.log", &hints) else {
        return;
    };
    let log = log.unwrap();
    assert_eq!(log.format, LogFormat::NvidiaSmi);
    assert_eq!(log.rails[0].samples[0].value, 148.50);
    let hints =
        ReadHints { power_columns: Some("GPU0=W,GPU1=W".to_owned()), ..ReadHints::default() };
    let log = shared_with("nvml-epoch-2gpu-wide.csv", &hints).unwrap().unwrap();
    assert_eq!((log.basis, log.rails.len()), (Basis::Unix, 2));
}

#[test]
fn the_mislabelled_unit_is_caught_by_plausibility() {
    let Some(log) = shared_log("jetson-xavier-unit-mislabelled.csv") else { return };
    let about = describe("xavier.csv", &log.unwrap());
    let finding = about.findings.iter().find(|one| one.code == "power-implausible").unwrap();
    assert!(
        finding.message.contains("6624 W") || finding.message.contains("6626 W"),
        "{}",
        finding.message
    );
}

#[test]
fn shared_boards_get_their_totals() {
    let totals = [
        ("tegrastats-agx-xavier-jp44-nots.log", 18877.0 + 2454.0 + 4907.0 + 2761.0 + 4927.0),
        ("tegrastats-agx-orin64-ts.log", 2798.0 + 799.0 + 3315.0),
        ("tegrastats-xavier-nx-ts.log", 5542.0),
        ("tegrastats-jetson-nano-pom5v-nots.log", 920.0),
        ("tegrastats-tx2-dateheader.log", 1840.0),
        ("tegrastats-tx2-parsed.csv", 1840.0),
    ];
    for (name, expected) in totals {
        let Some(log) = shared_log(name) else { return };
        assert_eq!(total(&log.unwrap()), expected, "{name}");
    }
}

#[test]
fn the_date_above_an_unstamped_log_is_its_start() {
    let Some(log) = shared_log("tegrastats-tx2-dateheader.log") else { return };
    let start = UnixTime::from_unix_ns(1_611_685_351_000_000_000);
    assert_eq!(log.unwrap().stated_start, Some(start));
}
