//! With feature `tch`: where the program finds LibTorch when it runs. `build-tch` names the folder.

fn main() {
    println!("cargo:rerun-if-env-changed=WNO_TORCH_LIB");
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var_os("CARGO_FEATURE_TCH").is_none() {
        return;
    }
    if let Ok(folder) = std::env::var("WNO_TORCH_LIB") {
        // LibTorch registers its CUDA part by being loaded: a linker that drops what no symbol asks for
        // would leave it out.
        for arg in [
            "-Wl,--no-as-needed",
            "-ltorch",
            &format!("-L{folder}"),
            &format!("-Wl,-rpath,{folder}"),
        ] {
            println!("cargo:rustc-link-arg={arg}");
        }
    }
}
