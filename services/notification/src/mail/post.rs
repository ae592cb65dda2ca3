//! Where mails go: an SMTP server, or a folder with one file each.

use std::path::{Path, PathBuf};
use std::time::Duration;

use lettre::address::Envelope;
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use tokio::io::AsyncWriteExt;
use uuid::Uuid;

use super::MailError;

/// RFC 5321 lets a server take minutes before it says that it has a mail; who asks again before gets it there twice.
const PATIENCE: Duration = Duration::from_secs(5 * 60);

/// Takes mails away. Cheap to clone.
#[derive(Clone)]
pub enum Post {
    Smtp {
        transport: AsyncSmtpTransport<Tokio1Executor>,
        /// How long the server may take for one mail, from the connection to its last answer.
        patience: Duration,
    },
    /// For a machine without a mail server: `{id}.eml`, readable by the owner only.
    Folder(PathBuf),
}

impl Post {
    /// Over SMTP: `smtps://user:password@host`, `smtp://host:25?tls=opportunistic`.
    pub fn smtp(url: &str) -> Result<Post, MailError> {
        // The URL holds a password: what is wrong with it is told, not what it is.
        let wrong = |_| MailError::Settings("SMTP_URL is no smtp:// or smtps:// URL".into());
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url).map_err(wrong)?;
        Ok(Post::Smtp {
            // Each mail has a connection of its own: on one that was left in mid-dialogue the answers are another mail's.
            transport: transport.timeout(Some(PATIENCE)).build(),
            patience: PATIENCE,
        })
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
            Post::Smtp {
                transport,
                patience,
            } => {
                let envelope = Envelope::new(Some(from.clone()), vec![to.parse()?])?;
                tokio::time::timeout(*patience, transport.send_raw(&envelope, mail))
                    .await
                    .map_err(|_| MailError::Late)??;
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

    use tokio::io::{AsyncBufReadExt, BufReader};
    use tokio::net::TcpListener;

    use super::*;

    /// Delivers one mail to a server on a free port that treats its only caller so.
    async fn deliver_to<F: Future<Output = ()>>(
        serve: impl FnOnce(tokio::net::TcpStream) -> F,
        wait: Duration,
    ) -> MailError {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let post = Post::smtp(&format!("smtp://shop:hush@127.0.0.1:{port}")).unwrap();
        let Post::Smtp { transport, .. } = post else {
            panic!("no SMTP")
        };
        let patience = wait;
        let post = Post::Smtp {
            transport,
            patience,
        };
        let from = "no-reply@market.example".parse().unwrap();
        let deliver = post.deliver(Uuid::nil(), &from, "ada@contoso.example", b"the mail");
        let served = async { serve(listener.accept().await.unwrap().0).await };
        tokio::select! {
            biased;
            delivered = deliver => delivered.unwrap_err(),
            () = async { served.await; std::future::pending().await } => unreachable!(),
        }
    }

    /// A server that takes everything, but for the line that begins so ("" is the connection itself, "." the end of a
    /// mail); an empty refusal never comes.
    async fn answer(stream: tokio::net::TcpStream, refused: &str, refusal: &str) {
        let (read, mut write) = stream.into_split();
        let mut lines = BufReader::new(read).lines();
        let mut command = Some(String::new());
        let mut in_mail = false;
        while let Some(said) = command {
            in_mail &= said != ".";
            let answer = match said.as_str() {
                said if !refused.is_empty() && said.starts_with(refused) => refusal,
                "" if refused.is_empty() => refusal,
                "" => "220 ready",
                said if said.starts_with("EHLO") => "250-mail\r\n250 AUTH PLAIN",
                said if said.starts_with("AUTH") => "235 welcome",
                said if said.starts_with("DATA") => "354 go on",
                _ => "250 fine",
            };
            if answer.is_empty() {
                std::future::pending::<()>().await;
            }
            if !in_mail {
                let line = format!("{answer}\r\n");
                write.write_all(line.as_bytes()).await.unwrap();
            }
            in_mail |= answer.starts_with("354");
            command = lines.next_line().await.unwrap();
        }
    }

    #[tokio::test]
    async fn only_a_refused_recipient_is_given_up_at_the_first_try() {
        let table = [
            ("", "554 go away", false),
            ("AUTH", "535 wrong password", false),
            ("MAIL", "501 no such sender", false),
            ("RCPT", "450 later", false),
            ("RCPT", "552 mailbox full", false),
            ("RCPT", "550 no such user", true),
            ("RCPT", "551 moved away", true),
            ("RCPT", "553 no such mailbox", true),
            ("RCPT", "550 5.1.1 no such user", true),
            ("RCPT", "550 5.7.1 relaying denied", false),
            ("DATA", "554 not now", false),
        ];
        for (refused, refusal, permanent) in table {
            let serve = |stream| answer(stream, refused, refusal);
            let error = deliver_to(serve, PATIENCE).await;
            let MailError::Smtp(told) = &error else {
                panic!("{refused} {refusal}: {error:?}")
            };
            let code = told.status().map(|code| code.to_string());
            assert_eq!(code.as_deref(), Some(&refusal[..3]), "{refused}");
            assert_eq!(error.is_permanent(), permanent, "{refused} {refusal}");
        }
    }

    #[tokio::test]
    async fn a_server_that_never_answers_is_late() {
        let hold = |stream| async move {
            let _open = stream;
            std::future::pending().await
        };
        let error = deliver_to(hold, Duration::from_millis(50)).await;
        assert!(matches!(error, MailError::Late), "{error:?}");
        assert!(!error.is_permanent());
    }

    #[tokio::test]
    async fn a_late_answer_is_never_taken_for_the_next_mails() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut post = Post::smtp(&format!("smtp://127.0.0.1:{port}")).unwrap();
        let from = "no-reply@market.example".parse().unwrap();
        let deliver = async |post: &Post| {
            let to = "ada@contoso.example";
            post.deliver(Uuid::nil(), &from, to, b"the mail").await
        };
        let serve = async {
            let (first, _) = listener.accept().await.unwrap();
            let (second, _) = listener.accept().await.unwrap();
            tokio::join!(
                answer(first, ".", ""),
                answer(second, "RCPT", "550 no such user")
            );
        };
        let mails = async {
            let Post::Smtp { patience, .. } = &mut post else {
                panic!("no SMTP")
            };
            *patience = Duration::from_millis(300);
            let first = deliver(&post).await.unwrap_err();
            assert!(matches!(first, MailError::Late), "{first:?}");
            let second = deliver(&post).await.unwrap_err();
            assert!(second.is_permanent(), "{second:?}");
        };
        tokio::select! {
            () = mails => {}
            () = async { serve.await; std::future::pending().await } => {}
        }
    }

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
