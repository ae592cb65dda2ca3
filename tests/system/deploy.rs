//! Containers and clusters, as far as they can be checked without either.

use std::process::{Command, Stdio};

use system_tests::repository;

/// Every manifest is what Kubernetes knows, with no property that it doesn't.
#[test]
fn kubernetes_manifests_are_strictly_valid() -> anyhow::Result<()> {
    for folder in ["base", "overlays/production", "overlays/kind-local"] {
        let mut kustomize = Command::new("kubectl")
            .args(["kustomize", &format!("deploy/kubernetes/{folder}")])
            .current_dir(repository())
            .stdout(Stdio::piped())
            .spawn()?;
        let made = kustomize.stdout.take().expect("it has an output");
        let valid = Command::new("kubernetes-validate")
            .args(["--strict", "/dev/stdin"])
            .stdin(made)
            .output()?;
        assert!(kustomize.wait()?.success(), "{folder}");
        let said = String::from_utf8_lossy(&valid.stdout).into_owned()
            + &String::from_utf8_lossy(&valid.stderr);
        assert!(valid.status.success(), "{folder}: {said}");
        let passed = said.lines().filter(|line| line.contains("passed")).count();
        assert!(passed > 20, "{folder} has all five services: {said}");
    }
    Ok(())
}

#[test]
fn the_dockerfile_has_no_known_mistake() -> anyhow::Result<()> {
    let checked = Command::new("hadolint")
        .arg("deploy/Dockerfile")
        .current_dir(repository())
        .output()?;
    assert!(
        checked.status.success(),
        "{}",
        String::from_utf8_lossy(&checked.stdout)
    );
    Ok(())
}
