//! Connections that keep a number of messages under way.

use std::io::{Error, ErrorKind, Read, Result, Write};
use std::net::TcpStream;
use std::os::fd::AsRawFd;
use std::time::Duration;

use crate::options::Options;
use crate::wire;

/// A server that is silent so long has failed.
const PATIENCE: Duration = Duration::from_secs(30);
const EVENTS: usize = 256;

/// All connections, driven by one thread.
pub(crate) struct Crowd<'o> {
    options: &'o Options,
    message: Vec<u8>,
    members: Vec<Member>,
    epoll: i32,
}

impl<'o> Crowd<'o> {
    pub(crate) fn connect(options: &'o Options) -> Result<Self> {
        let message = if options.http {
            wire::request(&options.path)
        } else {
            wire::message(&options.message, options.deflate)
        };
        // SAFETY: takes no pointer.
        let epoll = check(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
        let members = (0..options.connections)
            .map(|token| {
                let member = Member::connect(options)?;
                let events = (libc::EPOLLIN | libc::EPOLLOUT | libc::EPOLLET) as u32;
                let mut event = libc::epoll_event { events, u64: u64::from(token) };
                let fd = member.stream.as_raw_fd();
                // SAFETY: both descriptors are open, and the kernel copies the event.
                check(unsafe { libc::epoll_ctl(epoll, libc::EPOLL_CTL_ADD, fd, &raw mut event) })?;
                Ok(member)
            })
            .collect::<Result<_>>()?;
        Ok(Self { options, message, members, epoll })
    }

    /// Sends that many messages, spread evenly, and waits for their replies.
    pub(crate) fn exchange(&mut self, messages: u32) -> Result<()> {
        let count = self.options.connections;
        let mut open = messages;
        for (index, member) in (0..).zip(&mut self.members) {
            member.to_send = messages / count + u32::from(index < messages % count);
            let first = member.to_send.min(self.options.depth);
            member.queue(&self.message, first);
            member.flush()?;
        }
        let mut events = [libc::epoll_event { events: 0, u64: 0 }; EVENTS];
        while open > 0 {
            let patience = PATIENCE.as_millis() as i32;
            // SAFETY: the array is ours and has room for EVENTS.
            let ready = check(unsafe {
                libc::epoll_wait(self.epoll, events.as_mut_ptr(), EVENTS as i32, patience)
            })?;
            if ready == 0 {
                return Err(Error::new(ErrorKind::TimedOut, format!("{open} replies missing")));
            }
            for event in &events[..ready as usize] {
                let member = &mut self.members[event.u64 as usize];
                let replies = member.read(self.options)?;
                open -= replies;
                member.queue(&self.message, replies.min(member.to_send));
                member.flush()?;
            }
        }
        Ok(())
    }
}

struct Member {
    stream: TcpStream,
    input: Vec<u8>,
    /// The beginning of a reply in several frames.
    reply: Vec<u8>,
    deflated: bool,
    output: Vec<u8>,
    /// How much of `output` the kernel has.
    written: usize,
    /// Messages of this exchange that are not queued yet.
    to_send: u32,
}

impl Member {
    fn connect(options: &Options) -> Result<Self> {
        let mut stream = TcpStream::connect(options.address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut input = Vec::new();
        if !options.http {
            stream.write_all(wire::handshake(&options.path, options.deflate).as_bytes())?;
            let end = loop {
                if let Some(end) = wire::head(&input) {
                    break end;
                }
                let mut buffer = [0; 1024];
                match stream.read(&mut buffer)? {
                    0 => return Err(Error::other("the server closed during the handshake")),
                    got => input.extend(&buffer[..got]),
                }
            };
            let head = String::from_utf8_lossy(&input[..end]).to_ascii_lowercase();
            if !head.starts_with("http/1.1 101 ")
                || head.contains("\r\nsec-websocket-extensions: permessage-deflate")
                    != options.deflate
            {
                return Err(Error::other(format!("the server answered {head}")));
            }
            input.drain(..end);
        }
        stream.set_nonblocking(true)?;
        Ok(Self {
            stream,
            input,
            reply: Vec::new(),
            deflated: false,
            output: Vec::new(),
            written: 0,
            to_send: 0,
        })
    }

    fn queue(&mut self, message: &[u8], times: u32) {
        for _ in 0..times {
            self.output.extend(message);
        }
        self.to_send -= times;
    }

    fn flush(&mut self) -> Result<()> {
        while self.written < self.output.len() {
            match self.stream.write(&self.output[self.written..]) {
                Ok(sent) => self.written += sent,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        self.output.clear();
        self.written = 0;
        Ok(())
    }

    /// Reads all there is; the number of replies that are now whole.
    fn read(&mut self, options: &Options) -> Result<u32> {
        let mut buffer = [0; 65_536];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => return Err(Error::other("the server closed a connection")),
                Ok(got) => self.input.extend(&buffer[..got]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        let mut replies = 0;
        let mut used = 0;
        let parse = if options.http { wire::response } else { wire::frame };
        while let Some(piece) = parse(&self.input[used..])? {
            used += piece.size;
            self.deflated |= piece.deflated;
            self.reply.extend(piece.payload);
            if piece.last {
                check_reply(&self.reply, self.deflated, options)?;
                self.reply.clear();
                self.deflated = false;
                replies += 1;
            }
        }
        self.input.drain(..used);
        if self.input.is_empty() {
            // Thousands of idle connections shall not hold buffers here either.
            self.input = Vec::new();
        }
        Ok(replies)
    }
}

fn check_reply(reply: &[u8], deflated: bool, options: &Options) -> Result<()> {
    let right = match &options.expect {
        // What is in a compressed reply is a matter for the tests of the module.
        _ if deflated => options.deflate,
        Some(text) => reply.windows(text.len()).any(|part| part == text.as_bytes()),
        None => reply == options.message,
    };
    if right {
        return Ok(());
    }
    let start = &reply[..reply.len().min(200)];
    Err(Error::other(format!("unexpected reply {}", String::from_utf8_lossy(start))))
}

fn check(result: i32) -> Result<i32> {
    if result < 0 { Err(Error::last_os_error()) } else { Ok(result) }
}
