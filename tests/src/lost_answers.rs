//! A TCP proxy that loses answers: once a certain word has passed to the target, nothing comes
//! back, and neither end notices; or something else is sent instead.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What is sent instead of an answer.
#[derive(Clone, Debug, Default)]
pub struct Instead {
    /// This first.
    pub first: Vec<u8>,
    /// Then this, repeatedly without a pause; nothing if it is empty.
    pub endlessly: Vec<u8>,
}

/// Listens on loopback for connections to `target`, and loses every answer after the first block of
/// bytes that contains `word`. It runs until the process ends.
///
/// # Panics
/// When there is no port for it.
pub fn answers_after(word: &'static str, target: &str) -> SocketAddr {
    answers_instead(word, target, Instead::default())
}

/// The same, with other answers instead of the lost ones.
///
/// # Panics
/// When there is no port for it.
pub fn answers_instead(word: &'static str, target: &str, instead: Instead) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port to listen on");
    let address = listener.local_addr().expect("its own address");
    let target = target.to_owned();
    std::thread::spawn(move || {
        while let Ok((client, _)) = listener.accept() {
            // If the target is gone, the client finds its connection closed.
            let _ = serve(client, &target, word, instead.clone());
        }
    });
    address
}

fn serve(
    mut client: TcpStream,
    target: &str,
    word: &'static str,
    instead: Instead,
) -> std::io::Result<()> {
    let mut server = TcpStream::connect(target)?;
    let (mut from_server, mut to_client) = (server.try_clone()?, client.try_clone()?);
    let mut other = client.try_clone()?;
    let lost = Arc::new(AtomicBool::new(false));
    let loses = lost.clone();
    std::thread::spawn(move || {
        let mut block = [0; 1 << 16];
        while let Ok(length @ 1..) = client.read(&mut block) {
            let passing = &block[..length];
            let is_it =
                |passing: &[u8]| passing.windows(word.len()).any(|it| it == word.as_bytes());
            if is_it(passing) && !loses.swap(true, Ordering::SeqCst) {
                answer(&mut other, &instead);
            }
            if server.write_all(passing).is_err() {
                break;
            }
        }
    });
    std::thread::spawn(move || {
        let mut block = [0; 1 << 16];
        while let Ok(length @ 1..) = from_server.read(&mut block) {
            if !lost.load(Ordering::SeqCst) && to_client.write_all(&block[..length]).is_err() {
                break;
            }
        }
    });
    Ok(())
}

/// Writes it until the client has gone.
fn answer(client: &mut TcpStream, instead: &Instead) {
    let mut going = client.write_all(&instead.first).is_ok() && !instead.endlessly.is_empty();
    while going {
        going = client.write_all(&instead.endlessly).is_ok();
    }
}
