//! Files that are read: regular ones, of a size that can be meant, and of an offer only what is in its folder.

use std::fs::File;
use std::io::{Error, ErrorKind, Read, Result};
use std::path::{Path, PathBuf};

/// The most of an offer's file, and of a text beside it.
pub const MOST_TEXT: u64 = 4 * 1024 * 1024;
/// The most of an audience, as the catalog takes them.
pub const MOST_AUDIENCE: u64 = 8 * 1024 * 1024;
/// The most of a picture, a document or a package: what the catalog takes.
pub const MOST_CONTENT: u64 = 1024 * 1024 * 1024;

/// A file to read; devices and pipes, which may never end, are not opened.
pub fn open(file: &Path, most: u64) -> Result<File> {
    let refuse = |why: String| Err(Error::new(ErrorKind::InvalidInput, why));
    match std::fs::metadata(file)? {
        found if !found.is_file() => refuse("is no regular file".to_owned()),
        found if found.len() > most => refuse(format!(
            "has {} bytes; at most {most} are read",
            found.len()
        )),
        _ => File::open(file),
    }
}

/// The content of a file.
pub fn bytes(file: &Path, most: u64) -> Result<Vec<u8>> {
    let mut content = Vec::new();
    open(file, most)?.read_to_end(&mut content)?;
    Ok(content)
}

/// The content of a file of words.
pub fn text(file: &Path) -> Result<String> {
    let bytes = bytes(file, MOST_TEXT)?;
    String::from_utf8(bytes).map_err(|_| Error::new(ErrorKind::InvalidData, "is not UTF-8"))
}

/// A file that an offer's file names. Who applies a file of somebody else's sends nothing from elsewhere with it.
pub fn inside(folder: &Path, path: &str) -> Result<PathBuf> {
    let file = folder.join(path);
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    if file.canonicalize()?.starts_with(folder.canonicalize()?) {
        Ok(file)
    } else {
        Err(Error::new(
            ErrorKind::InvalidInput,
            "is not in the folder of the offer's file",
        ))
    }
}

/// Whether there is something of this name. What can't be looked at is an error, and not absent.
pub fn is_there(path: &Path) -> Result<bool> {
    match std::fs::symlink_metadata(path) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(false)
        }
        Err(error) => Err(error),
        Ok(_) => Ok(true),
    }
}
