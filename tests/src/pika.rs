//! Another client: pika, in Python. Our own tools could show a message as wrongly as they sent it.

use crate::tool::Tool;
use crate::vhost::Vhost;

impl Vhost<'_> {
    /// Runs a Python script with pika's `connection` and a `channel`; returns its standard output.
    pub fn pika(&self, script: &str) -> Vec<u8> {
        // pika does not support lists of hosts.
        let hosts = self.cluster.hosts();
        let first = hosts.split(',').next().unwrap_or(hosts);
        let script = format!(
            "import pika, sys\n\
             connection = pika.BlockingConnection(pika.URLParameters('{}'))\n\
             channel = connection.channel()\n\
             {script}",
            self.url().replacen(hosts, first, 1)
        );
        Tool::program("/usr/bin/python3").arguments(&["-c", &script]).run().expect(0).stdout
    }

    /// The bodies of all messages of a queue, consumed from it.
    ///
    /// # Panics
    /// When the script does not write what it should.
    pub fn take_bodies(&self, queue: &str) -> Vec<Vec<u8>> {
        let script = format!(
            "while True:\n\
             \tmethod, _, body = channel.basic_get('{queue}', auto_ack=True)\n\
             \tif method is None: break\n\
             \tsys.stdout.buffer.write(len(body).to_bytes(4, 'big') + body)\n"
        );
        let framed = self.pika(&script);
        let (mut framed, mut bodies) = (&framed[..], Vec::new());
        while let Some((length, rest)) = framed.split_first_chunk::<4>() {
            let (body, rest) = rest.split_at(u32::from_be_bytes(*length) as usize);
            bodies.push(body.to_vec());
            framed = rest;
        }
        bodies
    }
}
