//! Tests several engines that run with time, alone or in a group: rules that hold at every moment, and the newest content at the
//! end.

use super::{
    SimulatedDocument,
    simulated::{CallbackAnswer, Simulated},
};
use crate::{
    change::Group,
    engine::{
        small::{Clock, Small, document, small},
        state::State,
    },
    source::{Health, SourceError},
};
use fastrand::Rng;
use std::time::Duration;

struct SimulatedFleet {
    all: Vec<Simulated>,
    clock: Clock,
}

impl SimulatedFleet {
    /// Everybody does what can be done now.
    fn go_on(&mut self) {
        let now = self.clock.now();
        for turn in 0.. {
            let mut busy = false;
            for one in &mut self.all {
                let did = one.go_on(now);
                busy |= did;
                one.look();
            }
            if !busy {
                return;
            }
            assert!(turn < 1_000, "it never comes to rest");
        }
    }

    fn pass(&mut self, time: Duration) {
        let until = self.clock.now().instant + time;
        self.go_on();
        loop {
            let next = self.all.iter().filter_map(Simulated::next).min();
            match next.filter(|next| *next < until) {
                Some(next) => self.clock.pass_to(next),
                None => break,
            }
            self.go_on();
        }
        self.clock.pass_to(until);
        self.go_on();
    }
}

pub(super) fn run(rng: &mut Rng) {
    let clock = Clock::new();
    let group = rng.bool().then(Group::new);
    let count = if group.is_some() { rng.usize(1..4) } else { 1 };
    let mut world = SimulatedFleet {
        all: (0..count)
            .map(|number| Simulated::new(rng, number, group.as_ref(), clock.now()))
            .collect(),
        clock,
    };
    for one in &mut world.all {
        one.observe(false, &SimulatedDocument::Number(1, 0), clock.now());
        one.observe(true, &SimulatedDocument::Absent, clock.now());
    }
    world.go_on();
    for _ in 0..rng.usize(1..48) {
        let now = world.clock.now();
        let number = rng.usize(0..count);
        let one = &mut world.all[number];
        match rng.u8(0..30) {
            0..9 => one.observe(rng.bool(), &SimulatedDocument::any(rng), now),
            9..14 => {
                let answer = match rng.u8(0..6) {
                    0..3 => CallbackAnswer::Yes,
                    3 => CallbackAnswer::No,
                    4 => CallbackAnswer::Invalid,
                    _ => CallbackAnswer::Never,
                };
                let after = if rng.bool() { rng.u64(0..900) } else { 0 };
                one.answer = (answer, Duration::from_millis(after));
            }
            14 => one.healthy = !one.healthy,
            15 if one.run.is_none() => {
                let action = one.engine.unhealthy("bad", now);
                one.perform(action, now);
            }
            16 if one.run.is_none() => {
                let to = rng.bool().then(|| rng.u64(1..8));
                if let Ok(action) = one.engine.roll_back(to, now) {
                    one.perform(action, now);
                }
            }
            17 if one.run.is_none() => {
                if one.engine.pin(rng.bool()) {
                    let action = one.engine.take_up(now);
                    one.perform(action, now);
                }
            }
            18 => {
                one.restart(group.as_ref(), now);
                one.observe(false, &SimulatedDocument::any(rng), now);
                one.observe(true, &SimulatedDocument::any(rng), now);
            }
            19 => {
                let since = now.wall;
                let error = SourceError::transient("lost");
                let attempt = 1;
                let layer = rng.usize(0..2);
                one.engine.health(
                    layer,
                    Health::Stale {
                        since,
                        error,
                        attempt,
                    },
                );
            }
            20 => one.engine.layers.states[0].unsettled = rng.bool(),
            _ => {
                let time = if rng.bool() {
                    rng.u64(0..50)
                } else {
                    rng.u64(0..5_000)
                };
                world.pass(Duration::from_millis(time));
            }
        }
        world.go_on();
    }
    // The trouble is over: what is newest now must be what readers see, and soon.
    for one in &mut world.all {
        one.answer = (CallbackAnswer::Yes, Duration::ZERO);
        one.healthy = true;
        one.engine.layers.states[0].unsettled = false;
    }
    world.pass(Duration::from_secs(10));
    let now = world.clock.now();
    for one in &mut world.all {
        if one.run.is_none() && one.engine.pin(false) {
            let action = one.engine.take_up(now);
            one.perform(action, now);
        }
        for (layer, text) in [(0, "n=42"), (1, "m=60")] {
            if one.engine.observe(layer, document(text), now) {
                one.news(now);
            }
        }
    }
    world.pass(Duration::from_secs(200));
    for one in &mut world.all {
        let published = one.published.lock().unwrap().clone();
        let value = published.as_ref().map(small);
        assert_eq!(value, Some(Small { n: 42, m: 60 }), "{}", one.settings.name);
        assert_eq!(one.engine.state(), State::Healthy);
        assert!(one.run.is_none() && !one.engine.busy());
    }
}
