//! A proxy that makes a broker answer twice.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::spawn;

/// `basic.consume-ok`, as its class and its method.
const CONSUME_OK: [u8; 4] = [0, 60, 0, 21];

/// A proxy to `target` that passes on the second consume-ok of the first connection twice. Returns
/// its address; it runs until the process ends.
///
/// # Panics
/// When there is no port for it.
pub fn consume_ok_twice(target: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port to listen on");
    let address = listener.local_addr().expect("its own address").to_string();
    let target = target.to_owned();
    spawn(move || {
        for (number, client) in listener.incoming().flatten().enumerate() {
            // If the broker is gone, the client finds its connection closed.
            let Ok(server) = TcpStream::connect(&target) else { continue };
            let clone = |stream: &TcpStream| stream.try_clone().expect("a second handle");
            let (mut from, mut to) = (clone(&client), clone(&server));
            spawn(move || std::io::copy(&mut from, &mut to));
            spawn(move || answers(server, client, number == 0));
        }
    });
    address
}

/// Passes on frames (AMQP 0-9-1, section 2.3.5) until there are no more.
fn answers(mut from: TcpStream, mut to: TcpStream, twice: bool) -> std::io::Result<()> {
    let mut seen = 0;
    loop {
        let mut frame = vec![0; 7];
        from.read_exact(&mut frame)?;
        let size: [u8; 4] = frame[3..].try_into().expect("four bytes");
        frame.resize(7 + u32::from_be_bytes(size) as usize + 1, 0);
        from.read_exact(&mut frame[7..])?;
        to.write_all(&frame)?;
        if frame[0] == 1 && frame[7..].starts_with(&CONSUME_OK) {
            seen += 1;
            if twice && seen == 2 {
                to.write_all(&frame)?;
            }
        }
    }
}
