//! A type of offer that is added as a file is compiled in (OT-1): the macro that reads the folder sees no new files by itself.

fn main() {
    println!("cargo:rerun-if-changed=data/offer_types");
    println!("cargo:rerun-if-changed=migrations");
}
