//! Registries that changed what was pushed, break off, send elsewhere, or mean harm.

use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use wifibox_testkit::registry::{Asks, Fault, Manners};

use super::{Scene, blob_of, listing};

const REPOSITORY: &str = "wifibox/f";

#[test]
fn changed_blobs_are_refused() {
    let scene = Scene::new(Manners::default());
    scene.push().done();
    let manifest = scene.registry.manifest(REPOSITORY, "v1");
    for title in ["root.img", "SHA256SUMS", "manifest.json"] {
        let digest = blob_of(&manifest, title);
        let good = scene.registry.blob(REPOSITORY, &digest);
        let mut flipped = good.clone();
        flipped[good.len() / 2] ^= 1;
        let longer = [&good[..], b"x"].concat();
        for bad in [&flipped[..], &longer[..], &good[..good.len() - 1], b""] {
            scene.registry.set_blob(REPOSITORY, &digest, bad);
            let _ = fs::remove_dir_all(scene.path("cache"));
            scene.pull(&[]).failed(4, &format!("{title} is not what was expected"));
            scene.nothing_came();
        }
        scene.registry.set_blob(REPOSITORY, &digest, &good);
    }
    scene.pull(&[]).done();
    assert_eq!(listing(&scene.path("out")), listing(&scene.path("guest")));
}

/// Changes the manifest at the tag. The signatures go with it: whoever can write to a registry can move them, too.
fn change(scene: &Scene, manifest: &Value, change: impl FnOnce(&mut Value)) {
    let mut changed = manifest.clone();
    change(&mut changed);
    let bytes = serde_json::to_vec(&changed).unwrap();
    let digest = scene.registry.set_manifest(REPOSITORY, "v1", &bytes);
    let signature = fs::read(scene.path("guest/SHA256SUMS.minisig")).unwrap();
    let blob = format!("sha256:{}", wifibox_ground::digest::Sha256::of(&signature));
    scene.registry.set_blob(REPOSITORY, &blob, &signature);
    let kind = "application/vnd.wifibox-build.minisig.v1";
    let media_type = "application/vnd.oci.image.manifest.v1+json";
    let referrer = json!({
        "schemaVersion": 2, "mediaType": media_type, "artifactType": kind,
        "config": manifest["config"],
        "layers": [{ "mediaType": kind, "digest": blob, "size": signature.len() }],
        "subject": { "mediaType": media_type, "digest": digest, "size": bytes.len() },
    });
    let referrer = serde_json::to_vec(&referrer).unwrap();
    let about = scene.registry.set_manifest(REPOSITORY, "about", &referrer);
    let list = json!({ "schemaVersion": 2, "manifests": [
        { "mediaType": media_type, "artifactType": kind, "digest": about, "size": referrer.len() }
    ]});
    let tag = digest.replace(':', "-");
    scene.registry.set_manifest(REPOSITORY, &tag, &serde_json::to_vec(&list).unwrap());
}

#[test]
fn hostile_manifests_are_refused() {
    let scene = Scene::new(Manners::default());
    scene.push().done();
    let manifest = scene.registry.manifest(REPOSITORY, "v1");
    const TITLE: &str = "org.opencontainers.image.title";
    let title = |text: &'static str| {
        move |manifest: &mut Value| manifest["layers"][0]["annotations"][TITLE] = text.into()
    };
    for text in ["../escaped", "/escaped", "a/../../escaped", "a\\b", "", "a\nb"] {
        change(&scene, &manifest, title(text));
        scene.pull(&[]).failed(4, "no path of a file in a folder");
    }
    // Of the files but one, under a name that no list has; and one twice.
    change(&scene, &manifest, title("other"));
    scene.pull(&[]).failed(4, "lists no such file");
    change(&scene, &manifest, title("root.img"));
    scene.pull(&[]).failed(4, "is there twice");
    change(&scene, &manifest, |manifest| {
        let mut more = manifest["layers"][0].clone();
        more["annotations"][TITLE] = "more".into();
        manifest["layers"].as_array_mut().unwrap().push(more);
    });
    scene.pull(&[]).failed(4, "more is not listed in SHA256SUMS");
    // Another blob under the name of a file, and a size that would fetch for ever.
    change(&scene, &manifest, |manifest| {
        let other = manifest["layers"][1]["digest"].clone();
        manifest["layers"][0]["digest"] = other;
    });
    scene.pull(&[]).failed(4, "is said to be sha256:");
    change(&scene, &manifest, |manifest| manifest["layers"][0]["size"] = (1u64 << 33).into());
    scene.pull(&[]).failed(4, "is said to have 8589934592 bytes");
    change(&scene, &manifest, |manifest| manifest["layers"][0]["size"] = (1u64 << 40).into());
    scene.pull(&[]).failed(4, "at most");
    // What leads out by its folders or links does so without a signature, too.
    change(&scene, &manifest, |manifest| {
        manifest["annotations"]["io.github.wifibox-build.folders"] = "../escaped".into();
    });
    scene.pull(&[]).failed(4, "no path of a folder in a folder");
    change(&scene, &manifest, |manifest| manifest["artifactType"] = "an/other".into());
    scene.pull(&[]).failed(4, "it is an/other");
    change(&scene, &manifest, |manifest| {
        let layer = manifest["layers"][0].clone();
        manifest["layers"] = vec![layer; 8193].into();
    });
    scene.pull(&[]).failed(4, "at most 8192 are read");
    scene.registry.set_manifest(REPOSITORY, "v1", b"{");
    scene.pull(&[]).failed(4, "cannot be read");
    scene.registry.set_manifest(REPOSITORY, "v1", &vec![b' '; (4 << 20) + 1]);
    scene.pull(&[]).failed(1, "is larger than the 4194304 bytes");
    scene.nothing_came();
    // As it was, but for what may be said of a file without changing it.
    change(&scene, &manifest, |manifest| {
        manifest["layers"][0]["annotations"]["io.github.wifibox-build.mode"] = "4777".into();
    });
    scene.pull(&[]).done();
    assert_eq!(listing(&scene.path("out")).len(), listing(&scene.path("guest")).len());
}

#[test]
fn endless_answers_are_ended() {
    let scene = Scene::new(Manners::default());
    scene.push().done();
    for (part, code, words) in [
        ("GET /v2/wifibox/f/manifests/v1", 1, "is larger than"),
        ("GET /v2/wifibox/f/blobs/", 4, "is not what was expected"),
    ] {
        scene.registry.faults(part, [Fault::Endless]);
        scene.pull(&[]).failed(code, words);
    }
    scene.nothing_came();
}

#[test]
fn a_push_that_broke_off_is_taken_up() {
    let scene = Scene::new(Manners::default());
    scene.registry.faults("POST /v2/", [Fault::None, Fault::None, Fault::None, Fault::Status(400)]);
    scene.push().failed(1, "HTTP status 400");
    let puts = |lines: &[wifibox_testkit::registry::Request]| {
        lines
            .iter()
            .filter(|one| one.line.starts_with("PUT") && one.line.contains("/uploads/"))
            .count()
    };
    assert_eq!(puts(&scene.registry.requests()), 3);
    scene.pull(&[]).failed(1, "nothing of that name");
    let again = scene.push().done().json();
    assert_eq!(again["push"]["there"]["count"], 3);
    assert_eq!(
        puts(&scene.registry.requests()) as u64,
        again["push"]["sent"]["count"].as_u64().unwrap()
    );
    scene.pull(&[]).done();
    assert_eq!(listing(&scene.path("out")), listing(&scene.path("guest")));
}

#[test]
fn what_breaks_off_is_tried_again_from_where_it_was() {
    let scene = Scene::new(Manners::default());
    scene.registry.faults("PUT /v2/wifibox/f/blobs/uploads/", [Fault::Drop]);
    scene.registry.faults("PUT /v2/wifibox/f/manifests/v1", [Fault::Status(503)]);
    scene.push().done();
    let manifest = scene.registry.manifest(REPOSITORY, "v1");
    let root = blob_of(&manifest, "root.img");
    scene.registry.requests();
    scene.registry.faults(&format!("GET /v2/wifibox/f/blobs/{root}"), [Fault::Cut(10_000)]);
    scene.pull(&[]).done();
    let asked = scene.registry.requests();
    let ranges: Vec<_> = asked.iter().filter_map(|request| request.range.as_deref()).collect();
    assert_eq!(ranges, ["bytes=10000-"]);
    assert_eq!(listing(&scene.path("out")), listing(&scene.path("guest")));
}

#[test]
fn a_login_goes_to_the_registry_alone() {
    let manners =
        Manners { asks: Asks::Basic("me", "secret"), redirects: true, ..Manners::default() };
    let scene = Scene::new(manners);
    let login = ["--username", "me"];
    let run = |arguments: &[&str]| {
        super::finish(
            scene
                .command(&[arguments, &login[..]].concat())
                .env("WIFIBOX_BUILD_REGISTRY_PASSWORD", "secret"),
        )
    };
    let (reference, key) = (scene.reference("v1"), scene.key.public());
    run(&["push", &reference, "guest"]).done();
    scene.registry.requests();
    run(&["pull", &reference, "--out", "out", "--public-key", &key]).done();
    let asked = scene.registry.requests();
    let elsewhere: Vec<_> =
        asked.iter().filter(|request| request.line.contains("/elsewhere/")).collect();
    assert!(elsewhere.len() > 3 && elsewhere.iter().all(|one| one.host.starts_with("localhost:")));
    assert!(elsewhere.iter().all(|one| one.login.is_none()));
}

#[test]
fn blobs_are_taken_from_another_repository() {
    let scene = Scene::new(Manners::default());
    scene.push().done();
    scene.registry.requests();
    let other = format!("oci://{}/other:v1", scene.registry.host());
    let pushed = scene.run(&["push", &other, "guest", "--mount-from", REPOSITORY, "--json"]);
    assert_eq!(pushed.done().json()["push"]["sent"]["count"], 0);
    assert!(scene.registry.requests().iter().all(|one| !one.line.contains("/uploads/one")));
    // A repository that does not have it is no obstacle.
    let third = format!("oci://{}/third:v1", scene.registry.host());
    scene.run(&["push", &third, "guest", "--mount-from", "nothing"]).done();
}

#[test]
fn cosigns_signatures_are_shown() {
    let scene = Scene::new(Manners::default());
    let digest = scene.push().done().json()["push"]["digest"].as_str().unwrap().to_owned();
    let layer = json!({ "mediaType": "application/vnd.dev.cosign.simplesigning.v1+json",
        "digest": format!("sha256:{digest}"), "size": 1 });
    let signature = json!({ "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": { "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": format!("sha256:{digest}"), "size": 1 },
        "layers": [layer] });
    let bytes = serde_json::to_vec(&signature).unwrap();
    scene.registry.set_manifest(REPOSITORY, &format!("sha256-{digest}.sig"), &bytes);
    let pulled = scene.pull(&[]).done();
    assert!(pulled.stdout.contains("1 signature of cosign is beside it, which was not checked"));
    let pulled = scene.pull(&["--json"]).done().json();
    assert_eq!(pulled["pull"]["cosign"][0]["place"], "tag");
}

#[test]
fn an_interrupt_is_heard_at_once() {
    let scene = Scene::new(Manners::default());
    scene.push().done();
    let root = blob_of(&scene.registry.manifest(REPOSITORY, "v1"), "root.img");
    for part in
        [format!("GET /v2/wifibox/f/blobs/{root}"), "GET /v2/wifibox/f/manifests".to_owned()]
    {
        scene.registry.faults(&part, [Fault::Stall(Duration::from_secs(20))]);
        let (reference, key) = (scene.reference("v1"), scene.key.public());
        let mut command =
            scene.command(&["pull", &reference, "--out", "out", "--public-key", &key]);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        while !scene.registry.requests().iter().any(|request| request.line.contains(&part)) {
            std::thread::sleep(Duration::from_millis(20));
        }
        let begun = Instant::now();
        assert!(wifibox_testkit::kill("INT", child.id()));
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(130), "{stderr}");
        // It is half a second; machines with much to do take longer.
        assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
        scene.nothing_came();
    }
}
