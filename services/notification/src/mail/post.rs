//! Where mails go: an SMTP server, or a folder with one file each.

use std::path::{Path, PathBuf};
use std::time::Duration;

use lettre::address::Envelope;
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use tokio::io::AsyncWriteExt;
use uuid::Uuid;

use super::MailError;

/// How long a server may take for one mail.
const PATIENCE: Duration = Duration::from_secs(30);

/// Takes mails away. Cheap to clone.
#[derive(Clone)]
pub enum Post {
    Smtp(AsyncSmtpTransport<Tokio1Executor>),
    /// For a machine without a mail server: `{id}.eml`, readable by the owner only.
    Folder(PathBuf),
}

impl Post {
    /// Over SMTP: `smtps://user:password@host`, `smtp://host:25?tls=opportunistic`.
    pub fn smtp(url: &str) -> Result<Post, MailError> {
        // The URL holds a password: what is wrong with it is told, not what it is.
        let wrong = |_| MailError::Settings("SMTP_URL is no smtp:// or smtps:// URL".into());
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url).map_err(wrong)?;
        Ok(Post::Smtp(transport.timeout(Some(PATIENCE)).build()))
    }

    /// Into a folder, which is made if it is missing.
    pub fn folder(path: &Path) -> Result<Post, MailError> {
        use std::os::unix::fs::DirBuilderExt;
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)?;
        Ok(Post::Folder(path.to_owned()))
    }

    /// Sends the bytes as they are.
    pub async fn deliver(
        &self,
        id: Uuid,
        from: &lettre::Address,
        to: &str,
        mail: &[u8],
    ) -> Result<(), MailError> {
        match self {
            Post::Smtp(transport) => {
                let envelope = Envelope::new(Some(from.clone()), vec![to.parse()?])?;
                transport.send_raw(&envelope, mail).await?;
                Ok(())
            }
            Post::Folder(folder) => Ok(write(folder, id, mail).await?),
        }
    }
}

/// Whole or not at all: written beside and renamed. A repeat writes the same bytes over the same file.
async fn write(folder: &Path, id: Uuid, mail: &[u8]) -> std::io::Result<()> {
    let beside = folder.join(format!(".{id}.part"));
    let mut file = tokio::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)
        .await?;
    file.write_all(mail).await?;
    file.sync_all().await?;
    drop(file);
    tokio::fs::rename(&beside, folder.join(format!("{id}.eml"))).await
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[tokio::test]
    async fn a_file_is_private_and_a_repeat_changes_nothing() {
        let folder = std::env::temp_dir().join(format!("mails-{}", Uuid::now_v7()));
        let post = Post::folder(&folder).unwrap();
        let from = "no-reply@market.example".parse().unwrap();
        let id = Uuid::from_u128(7);
        for _ in 0..2 {
            post.deliver(id, &from, "ada@contoso.example", b"the mail")
                .await
                .unwrap();
        }
        let files: Vec<_> = std::fs::read_dir(&folder)
            .unwrap()
            .map(|file| file.unwrap())
            .collect();
        assert_eq!(files.len(), 1);
        assert_eq!(files[0].file_name().to_str().unwrap(), format!("{id}.eml"));
        assert_eq!(std::fs::read(files[0].path()).unwrap(), b"the mail");
        assert_eq!(
            files[0].metadata().unwrap().permissions().mode() & 0o777,
            0o600
        );
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[tokio::test]
    async fn a_wrong_url_is_told_without_its_password() {
        let error = Post::smtp("http://user:hush@mail")
            .err()
            .unwrap()
            .to_string();
        assert!(error.contains("SMTP_URL") && !error.contains("hush"));
    }
}
