use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

/// Stands between a program and its server, and cuts connections at the moment that matters.
pub struct Proxy {
    port: u16,
    path: String,
    cut: Arc<AtomicU8>,
}

/// When a connection is cut.
#[derive(Clone, Copy)]
pub enum Cut {
    /// Its commit does not reach the server.
    BeforeTheCommit = 1,
    /// The server's answer to its commit does not reach the program.
    AfterTheCommit = 2,
}

impl Proxy {
    /// Before the server of `mysql://root@HOST:PORT/DATABASE`.
    pub fn before(url: &str) -> Self {
        let (server, path) = url.strip_prefix("mysql://root@").unwrap().split_once('/').unwrap();
        let (server, cut) = (server.to_owned(), Arc::new(AtomicU8::new(0)));
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let wanted = Arc::clone(&cut);
        std::thread::spawn(move || {
            for program in listener.incoming() {
                let (program, server) = (program.unwrap(), TcpStream::connect(&server).unwrap());
                for stream in [&program, &server] {
                    stream.set_nodelay(true).unwrap();
                }
                let (from_server, to_program) = (server.try_clone().unwrap(), program.try_clone().unwrap());
                std::thread::spawn(move || pass_back(from_server, to_program));
                let wanted = Arc::clone(&wanted);
                std::thread::spawn(move || pass_on(program, server, &wanted));
            }
        });
        Proxy { port, path: path.to_owned(), cut }
    }

    pub fn url(&self) -> String {
        format!("mysql://root@127.0.0.1:{}/{}", self.port, self.path)
    }

    /// Cuts the next connection that commits.
    pub fn cut_next(&self, cut: Cut) {
        self.cut.store(cut as u8, Ordering::SeqCst);
    }
}

/// Passes on what a program sends, packet by packet, until one asks to commit and is to be cut.
fn pass_on(mut program: TcpStream, mut server: TcpStream, wanted: &AtomicU8) {
    while let Some(packet) = packet(&mut program) {
        // Four bytes of head, then 3 for a query, then its text.
        let cut = if packet[4..] == *b"\x03COMMIT" { wanted.swap(0, Ordering::SeqCst) } else { 0 };
        if cut == Cut::AfterTheCommit as u8 {
            // From here on nothing reaches the program; the server has done it when it hangs up after a farewell.
            program.shutdown(Shutdown::Both).unwrap();
            server.write_all(&packet).unwrap();
            server.write_all(b"\x01\0\0\0\x01").unwrap();
            let _ = server.read_to_end(&mut Vec::new());
        }
        if cut != 0 || server.write_all(&packet).is_err() {
            break;
        }
    }
    for stream in [&program, &server] {
        let _ = stream.shutdown(Shutdown::Both);
    }
}

fn packet(from: &mut TcpStream) -> Option<Vec<u8>> {
    let mut packet = vec![0; 4];
    from.read_exact(&mut packet).ok()?;
    let length = u32::from_le_bytes([packet[0], packet[1], packet[2], 0]);
    packet.resize(4 + length as usize, 0);
    from.read_exact(&mut packet[4..]).ok()?;
    Some(packet)
}

fn pass_back(mut server: TcpStream, mut program: TcpStream) {
    let _ = std::io::copy(&mut server, &mut program);
    let _ = program.shutdown(Shutdown::Both);
}
