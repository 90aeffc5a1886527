//! Clocks that jump, answers that are lost or late, in any order.

use super::{
    model::Limit,
    world::{Fate, World, repo},
};
use banksman_forge::github::governor::{Cost, Effect};
use proptest::prelude::*;

/// What happens next.
#[derive(Debug, Clone)]
enum Event {
    /// One repository wants this much at once.
    Wish { repo: usize, cost: Cost, times: usize, fate: Fate },
    /// Time passes, in milliseconds.
    Pass(i64),
    /// The host's clock jumps, in milliseconds.
    Jump(i64),
}

fn cost() -> impl Strategy<Value = Cost> {
    let effect =
        prop_oneof![Just(Effect::Read), Just(Effect::Settle), Just(Effect::Write), Just(Effect::Content)];
    prop_oneof![
        effect.clone().prop_map(Cost::Rest),
        (1..=20_u32, effect).prop_map(|(points, effect)| Cost::Graphql { points, effect }),
    ]
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        12 => (20..3_000_i64).prop_map(Fate::Answered),
        1 => (1_000..30_000_i64).prop_map(Fate::Lost),
        1 => (20..3_000_i64).prop_map(Fate::Broken),
        1 => Just(Fate::Forgotten),
    ]
}

fn event(jumps: u32) -> impl Strategy<Value = Event> {
    let wish = (0..5_usize, cost(), 1..400_usize, fate());
    let mut all = vec![
        (6, wish.prop_map(|(repo, cost, times, fate)| Event::Wish { repo, cost, times, fate }).boxed()),
        (2, (1..120_000_i64).prop_map(Event::Pass).boxed()),
        (1, (120_000..7_200_000_i64).prop_map(Event::Pass).boxed()),
    ];
    if jumps > 0 {
        all.push((jumps, (-90_000_000..90_000_000_i64).prop_map(Event::Jump).boxed()));
        all.push((jumps, (-70_000..70_000_i64).prop_map(Event::Jump).boxed()));
    }
    proptest::strategy::Union::new_weighted(all)
}

/// Plays the events; whoever is told to wait waits, but for no longer than 20 minutes.
fn play(events: &[Event]) -> World {
    let mut world = World::new();
    for event in events {
        match event {
            Event::Pass(ms) => world.pass(world.now + ms),
            Event::Jump(ms) => world.skew += ms,
            Event::Wish { repo: number, cost, times, fate } => {
                let patience = world.now + 1_200_000;
                let name = repo(*number);
                for _ in 0..*times {
                    while let Err(wait) = world.attempt(Some(&name), *cost, *fate) {
                        assert!(wait <= 3_700_000, "a wait of {wait} ms");
                        let until = world.now + wait;
                        if until > patience {
                            break;
                        }
                        world.pass(until);
                    }
                    if world.now >= patience {
                        break;
                    }
                }
            }
        }
    }
    world
}

/// However it stands now, everything goes again within two hours.
fn goes_on(world: &mut World) {
    let limit = world.now + 2 * 3_600_000;
    for cost in [Cost::Rest(Effect::Content), Cost::Graphql { points: 4, effect: Effect::Read }] {
        while let Err(wait) = world.attempt(None, cost, Fate::Answered(100)) {
            world.pass(world.now + wait);
            assert!(world.now < limit, "it stands still: {:?}", world.governor.view(world.local()));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 80, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_limit_is_passed(events in prop::collection::vec(event(0), 1..40)) {
        let mut world = play(&events);
        prop_assert_eq!(&world.github.passed, &[]);
        goes_on(&mut world);
    }

    #[test]
    fn a_clock_that_jumps_neither_stops_it_nor_spends_too_much(
        skew in -90_000_000..90_000_000_i64,
        events in prop::collection::vec(event(1), 1..40),
    ) {
        let events: Vec<Event> = std::iter::once(Event::Jump(skew)).chain(events).collect();
        let mut world = play(&events);
        // The second between two writes cannot be known in the moment of a jump; every limit that GitHub refuses for can.
        world.github.passed.retain(|(_, limit)| *limit != Limit::BetweenWrites);
        prop_assert_eq!(&world.github.passed, &[]);
        goes_on(&mut world);
    }
}
