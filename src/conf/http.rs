//! What is said once for all of http.

use std::rc::Rc;

use super::calls::INFLIGHT;
use super::row::{HTTP, Logged, ONE, directives, once};
use super::value::count;
use crate::nginx::config::Conf;
use crate::nginx::shm::Zone;
use crate::settings::http::{CounterZone, HttpSettings};

directives! {
    /// What a worker may do.
    struct WorkerConf at block.http.worker of HttpConf;

    http c"ws_worker_inflight", HTTP | ONE, inflight: usize = 512, once(count(INFLIGHT));
}

/// The main configuration.
#[derive(Default)]
pub(crate) struct HttpConf {
    worker: WorkerConf,
    /// In the order of their definitions.
    pub(super) counter_zones: Vec<&'static Zone<CounterZone>>,
    /// What can be asked only when all directives are read.
    pub(super) checks: Vec<Check>,
    settings: Option<Rc<HttpSettings>>,
}

pub(super) type Check = Box<dyn Fn(Conf) -> Result<(), Logged>>;

impl HttpConf {
    /// All directives are read; locations are merged next.
    pub(super) fn complete(&mut self, cf: Conf) -> Result<(), Logged> {
        self.checks.iter().try_for_each(|check| check(cf))?;
        self.settings = Some(Rc::new(HttpSettings {
            worker_inflight: inflight(self),
            counter_zones: self.counter_zones.clone(),
        }));
        Ok(())
    }

    /// There are some once [`HttpConf::complete`] has been.
    pub(super) const fn settings(&self) -> Option<&Rc<HttpSettings>> {
        self.settings.as_ref()
    }
}
