//! Which file systems change without an event, and which paths are mounts themselves.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

/// The mounts of this process.
#[derive(Debug, Default)]
pub(super) struct Mounts {
    /// The text of `/proc/self/mountinfo`.
    text: String,
    points: HashMap<PathBuf, MountRoot>,
}

/// What is mounted at a point: the mount's number, and the path on its file system as it is by now. That path goes with the file when it
/// is renamed, and shows when its name is gone although the file has others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MountRoot {
    mount: String,
    path: String,
}

impl MountRoot {
    /// Whether the point was not mounted anew since `first`.
    pub(super) fn is_the_mount_of(&self, first: &MountRoot) -> bool {
        self.mount == first.mount
    }

    /// Whether the file that is mounted has lost the name that it had at `first`: another one may have it by now.
    pub(super) fn has_lost_its_name(&self, first: &MountRoot) -> bool {
        let moved = self.is_the_mount_of(first) && self.path != first.path;
        moved || self.path.ends_with("//deleted")
    }
}

impl Mounts {
    pub(super) fn read() -> Self {
        let text = match cfg!(target_os = "linux") {
            true => std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default(),
            false => String::new(),
        };
        Mounts::of(text)
    }

    fn of(text: String) -> Self {
        let roots = text.lines().filter_map(|line| {
            let (mount, _) = line.split_once(" - ")?;
            let mut words = mount.split(' ');
            let (number, path) = (words.next()?, words.nth(2)?);
            let root = MountRoot {
                mount: number.to_owned(),
                path: path.to_owned(),
            };
            Some((unescape(words.next()?), root))
        });
        // A later mount on the same point covers the earlier one.
        let points = roots.collect();
        Mounts { text, points }
    }

    /// Whether `path`, which is without links, lies on a file system that other machines change without an event here, and
    /// that may hang.
    pub(super) fn silent(&self, path: &Path) -> bool {
        kind(&self.text, path).is_some_and(is_silent)
    }

    /// What is mounted at `path` itself, if anything is.
    pub(super) fn at(&self, path: &Path) -> Option<&MountRoot> {
        self.points.get(path)
    }
}

/// Every mount point, and the type of what is mounted there.
fn points(mounts: &str) -> impl Iterator<Item = (PathBuf, &str)> {
    mounts.lines().filter_map(|line| {
        let (mount, source) = line.split_once(" - ")?;
        let point = mount.split(' ').nth(4)?;
        Some((unescape(point), source.split(' ').next()?))
    })
}

/// The type of the file system that holds `path`, from the text of `/proc/self/mountinfo`.
fn kind<'a>(mounts: &'a str, path: &Path) -> Option<&'a str> {
    let mut best: Option<(usize, &str)> = None;
    for (point, kind) in points(mounts) {
        let depth = point.components().count();
        // A later mount on the same point covers the earlier one.
        if path.starts_with(&point) && best.is_none_or(|(deepest, _)| depth >= deepest) {
            best = Some((depth, kind));
        }
    }
    best.map(|(_, kind)| kind)
}

fn is_silent(kind: &str) -> bool {
    const WHOLE: [&str; 7] = ["autofs", "cifs", "9p", "virtiofs", "vboxsf", "ceph", "afs"];
    const BEGIN: [&str; 3] = ["nfs", "smb", "fuse"];
    // `fuseblk` is a local disk.
    kind != "fuseblk"
        && (WHOLE.contains(&kind) || BEGIN.iter().any(|begin| kind.starts_with(begin)))
}

/// Spaces, tabs, line ends and backslashes are written in octal: `\040`.
fn unescape(text: &str) -> PathBuf {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let digits = tail
            .get(..3)
            .and_then(|digits| std::str::from_utf8(digits).ok());
        let escaped = digits.and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match escaped {
            Some(value) if byte == b'\\' => {
                bytes.push(value);
                rest = &tail[3..];
            }
            _ => {
                bytes.push(byte);
                rest = tail;
            }
        }
    }
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStringExt;
        std::ffi::OsString::from_vec(bytes).into()
    }
    #[cfg(not(unix))]
    {
        String::from_utf8_lossy(&bytes).into_owned().into()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const SAMPLE: &str = r"22 27 0:20 / /sys rw,nosuid - sysfs sysfs rw
27 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
31 27 0:26 / /mnt/team\040share rw,relatime shared:2 master:3 - nfs4 host:/export rw,vers=4.2
32 27 0:27 / /mnt/team\040share/local rw - tmpfs tmpfs rw
33 27 0:28 / /srv rw - ext4 /dev/vdb rw
34 27 0:29 / /srv rw - virtiofs work rw
35 27 0:30 / /team rw - fuse.sshfs host: rw
not a mount";

    #[test]
    fn the_deepest_and_newest_mount_counts() {
        for (path, expected) in [
            ("/etc/app.yaml", "ext4"),
            ("/mnt/team share/app.yaml", "nfs4"),
            ("/mnt/team shared/app.yaml", "ext4"),
            ("/mnt/team share/local/app.yaml", "tmpfs"),
            ("/srv/app.yaml", "virtiofs"),
            ("/team/app.yaml", "fuse.sshfs"),
        ] {
            assert_eq!(kind(SAMPLE, Path::new(path)), Some(expected), "{path}");
        }
        assert_eq!(kind("", Path::new("/etc")), None);
        let mounts = Mounts::of(SAMPLE.to_owned());
        assert!(mounts.at(Path::new("/mnt/team share")).is_some());
        assert!(mounts.at(Path::new("/mnt")).is_none());
    }

    #[test]
    fn a_mounted_file_that_was_renamed_or_removed_has_lost_its_name() {
        let mounts = |number: u32, root: &str| {
            let text = format!("{number} 43 254:0 {root} /app/app.yaml rw - ext4 /dev/vda rw");
            let mounts = Mounts::of(text);
            mounts.at(Path::new("/app/app.yaml")).cloned().unwrap()
        };
        let first = mounts(63, "/srv/app.yaml");
        for (now, lost) in [
            (mounts(63, "/srv/app.yaml"), false),
            (mounts(63, "/srv/app.yaml.bak"), true),
            (mounts(63, "/srv/app.yaml//deleted"), true),
            // Mounted anew.
            (mounts(64, "/srv/other.yaml"), false),
        ] {
            assert_eq!(now.has_lost_its_name(&first), lost, "{now:?}");
        }
    }

    #[test]
    fn network_and_shared_folders_are_silent() {
        for kind in [
            "nfs",
            "nfs4",
            "cifs",
            "smb3",
            "fuse.sshfs",
            "fuse",
            "9p",
            "virtiofs",
            "vboxsf",
        ] {
            assert!(is_silent(kind), "{kind}");
        }
        for kind in ["ext4", "xfs", "tmpfs", "overlay", "fuseblk", "btrfs"] {
            assert!(!is_silent(kind), "{kind}");
        }
    }
}
