//! Sends a fixed number of messages to a server on loopback, then prints one line: the CPU time the
//! server spent on each, the time each took, and the server's memory before, during and after.

mod connection;
mod options;
mod server;
mod wire;

use std::io::{Error, Result};
use std::process::ExitCode;
use std::thread::sleep;
use std::time::Instant;

use connection::Crowd;
use options::Options;

fn main() -> ExitCode {
    match Options::parse(std::env::args().skip(1)).map_err(Error::other).and_then(|o| run(&o)) {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("load: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<String> {
    let rss_alone = server::rss(&options.pids)?;
    let mut crowd = Crowd::connect(options)?;
    crowd.exchange(options.warm_up)?;

    let rss_before = server::rss(&options.pids)?;
    let cpu_before = server::cpu(&options.pids)?;
    let started = Instant::now();
    crowd.exchange(options.messages)?;
    let wall = started.elapsed();
    let cpu = server::cpu(&options.pids)? - cpu_before;

    sleep(options.hold);
    let rss_after = server::rss(&options.pids)?;

    let each = |seconds: f64| seconds * 1e6 / f64::from(options.messages.max(1));
    Ok(format!(
        "{:.3}\t{:.3}\t{rss_alone}\t{rss_before}\t{rss_after}",
        each(cpu),
        each(wall.as_secs_f64())
    ))
}
