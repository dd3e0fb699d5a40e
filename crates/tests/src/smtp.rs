//! A real mail server on this machine.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde::Deserialize;
use tempfile::TempDir;

use crate::installed::installed;
use crate::port::Port;

/// What installs it.
const PACKAGE: &str = "aiosmtpd";

/// A mail server with a port and a mailbox of its own; it stops when this is dropped.
///
/// Recipients called `refused`, `later`, `unwanted`, `silent`, `silent-once` and `slow…` are special, see
/// `servers/smtp.py`.
pub struct SmtpServer {
    mailbox: TempDir,
    certificate: TempDir,
    options: Vec<String>,
    port: Port,
    process: Option<Child>,
}

/// A mail that arrived, as a mail reader understands it.
#[derive(Debug, Clone, Deserialize)]
pub struct ReceivedMail {
    /// Who sent it, by the envelope.
    pub sender: String,
    /// To whom, by the envelope.
    pub recipients: Vec<String>,
    /// Its headers, decoded.
    pub headers: Vec<(String, String)>,
    /// Its plain text.
    pub text: String,
    /// Its HTML.
    pub html: String,
    /// As it came over the wire.
    pub raw: String,
}

impl SmtpServer {
    /// A server that runs.
    pub fn start() -> Self {
        let mut server = Self::stopped();
        server.run();
        server
    }

    /// A server that runs and wants to know who is there.
    pub fn start_with_login(user: &str, password: &str) -> Self {
        let mut server = Self::stopped();
        server.options = vec!["--login".to_owned(), format!("{user}:{password}")];
        server.run();
        server
    }

    /// A server that runs and speaks TLS, from the first byte or after a plain greeting.
    pub fn start_with_tls(after_greeting: bool) -> Self {
        let mut server = Self::stopped();
        let folder = server.certificate.path().to_str().expect("a temporary folder's name is text");
        let made = Command::new(installed(PACKAGE))
            .args(["-m", "trustme", "--quiet", "--identities", "127.0.0.1", "--dir", folder])
            .status()
            .expect("Python makes certificates");
        assert!(made.success(), "trustme made a certificate");
        server.options = vec!["--certificate".to_owned(), folder.to_owned()];
        if after_greeting {
            server.options.push("--starttls".to_owned());
        }
        server.run();
        server
    }

    /// A server that has a port, but does not listen yet.
    pub fn stopped() -> Self {
        let folder = || tempfile::tempdir().expect("a temporary folder");
        let (options, port) = (Vec::new(), Port::reserve());
        SmtpServer { mailbox: folder(), certificate: folder(), options, port, process: None }
    }

    /// Starts the server, or starts it again.
    pub fn run(&mut self) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("servers/smtp.py");
        let mut process = Command::new(installed(PACKAGE))
            .arg(script)
            .arg(self.mailbox.path())
            .arg(self.port.number().to_string())
            .args(&self.options)
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python runs the mail server");
        let mut line = String::new();
        let output = process.stdout.take().expect("its output is a pipe");
        BufReader::new(output).read_line(&mut line).expect("the mail server tells its port");
        assert_eq!(line.trim(), self.port.number().to_string(), "the mail server listens where it should");
        self.process = Some(process);
    }

    /// Stops the server at once, whatever it was doing. Its mailbox stays.
    pub fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().expect("the mail server is killed");
            process.wait().expect("the mail server has ended");
        }
    }

    /// Where it listens, on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// The file of the authority that vouches for a server that speaks TLS.
    pub fn authority(&self) -> PathBuf {
        self.certificate.path().join("client.pem")
    }

    /// The mails that arrived so far, in their order.
    pub fn mails(&self) -> Vec<ReceivedMail> {
        let files = std::fs::read_dir(self.mailbox.path()).expect("the mailbox can be read");
        let mut files: Vec<(std::time::SystemTime, PathBuf)> = files
            .filter_map(|file| file.ok().map(|file| file.path()))
            .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
            .map(|path| (path.metadata().and_then(|data| data.modified()).expect("a file's time"), path))
            .collect();
        files.sort();
        files.iter().map(|(_, path)| read(path)).collect()
    }
}

impl Drop for SmtpServer {
    fn drop(&mut self) {
        self.stop();
    }
}

impl ReceivedMail {
    /// The value of a header that occurs once.
    pub fn header(&self, name: &str) -> &str {
        let mut values = self.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        let value = values.next().unwrap_or_else(|| panic!("the mail has no header {name}: {}", self.raw));
        assert!(values.next().is_none(), "the mail has {name} twice: {}", self.raw);
        &value.1
    }
}

fn read(path: &Path) -> ReceivedMail {
    let file = File::open(path).expect("a received mail can be read");
    serde_json::from_reader(BufReader::new(file)).expect("a received mail has a text and an HTML part")
}
