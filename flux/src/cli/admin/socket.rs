//! How the file of the socket is made so that nobody else can ever open it; what is not Flux's is not replaced.

use super::connect::connect;
use std::{
    fs, io,
    os::unix::{
        fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt},
        net::{SocketAddr, UnixListener},
    },
    path::{Path, PathBuf},
    time::Duration,
};

/// Removes the file when it is dropped, unless another one is in its place.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    identity: (u64, u64),
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let found = fs::symlink_metadata(&self.path);
        if found.is_ok_and(|found| (found.dev(), found.ino()) == self.identity) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Listens at this path. The socket is made in a folder that its owner alone can enter, gets its mode there, and is moved to its place:
/// there is no moment at which another user could open it.
pub(super) fn listen(path: &Path) -> Result<(UnixListener, SocketFile), String> {
    let shown = crate::problem::escaped(&path.display().to_string()).into_owned();
    let cannot =
        |what: &str, error: io::Error| format!("`admin = \"unix:{shown}\"`: {what}: {error}");
    // It is made under a shorter name, at which it could be opened, and under this one not.
    SocketAddr::from_pathname(path).map_err(|error| cannot("clients cannot name it", error))?;
    free(path).map_err(|problem| format!("`admin = \"unix:{shown}\"`: {problem}"))?;
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let private = PrivateFolder::new(folder)
        .map_err(|error| cannot("no folder beside it for making the socket", error))?;
    let made = private.0.join("s");
    let listener = UnixListener::bind(&made).map_err(|error| cannot("cannot listen", error))?;
    let mode = fs::Permissions::from_mode(0o600);
    fs::set_permissions(&made, mode).map_err(|error| cannot("cannot set its mode", error))?;
    let identity = fs::symlink_metadata(&made).map_err(|error| cannot("cannot be read", error))?;
    fs::rename(&made, path).map_err(|error| cannot("cannot be put in its place", error))?;
    listener
        .set_nonblocking(true)
        .map_err(|error| cannot("cannot listen", error))?;
    let file = SocketFile {
        path: path.to_owned(),
        identity: (identity.dev(), identity.ino()),
    };
    Ok((listener, file))
}

/// Refuses what must not be replaced: another kind of file, and a socket at which somebody answers.
fn free(path: &Path) -> Result<(), String> {
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.to_string()),
    };
    if !found.file_type().is_socket() {
        return Err("a file that is no socket is there, and is not replaced; remove it, or name another path".to_owned());
    }
    match connect(path, Duration::ZERO) {
        Ok(_) => {
            Err("a process answers there already; give each instance a path of its own".to_owned())
        }
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(
            "a process listens there already, and takes no connection; end it, or give each instance a path of its own"
                .to_owned(),
        ),
        // Nobody listens: what a dead process left behind.
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(format!("a socket is there that cannot be tried: {error}")),
    }
}

/// A folder with mode 0700, removed with what is in it.
struct PrivateFolder(PathBuf);

impl PrivateFolder {
    fn new(beside: &Path) -> io::Result<Self> {
        let mut last = io::ErrorKind::AlreadyExists.into();
        for _ in 0..16 {
            // Short: the path of a socket has some 100 bytes at most.
            let folder = beside.join(format!(".{:x}", fastrand::u32(..)));
            match fs::DirBuilder::new().mode(0o700).create(&folder) {
                Ok(()) => return Ok(PrivateFolder(folder)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => last = error,
                Err(error) => return Err(error),
            }
        }
        Err(last)
    }
}

impl Drop for PrivateFolder {
    fn drop(&mut self) {
        let _ = fs::remove_file(self.0.join("s"));
        let _ = fs::remove_dir(&self.0);
    }
}
