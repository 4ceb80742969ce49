//! The whole pipeline from a seed, in virtual time and one thread, beside the second path.
//!
//! ```text
//! seed ─▶ centre, traffic ─▶ feed: batches, heartbeats, control facts ─┬▶ engine  ─▶ live, alerts, finals ─┐
//!                                                                      └▶ recount ─▶ live, alerts, finals ─┴▶ the same bytes
//! ```
//!
//! A seed that fails is printed; `SHIFTPULSE_SEED=17 cargo test --test simulation` runs it alone. A failing seed is kept in
//! [`KEPT`] or [`KEPT_SITES`]. That the comparison sees anything at all is shown by `mutants`.

mod centre;
mod compare;
mod dice;
mod feed;
mod impatient;
mod mutants;
mod site;
mod traffic;

use centre::centre;
use dice::Dice;
use feed::{Post, feed};
use shiftpulse::engine::Engine;
use shiftpulse::recount::Recount;

/// Seeds of streams that once told the two paths apart.
const KEPT: &[u64] = &[];
/// Seeds of sites that once did.
const KEPT_SITES: &[u64] = &[];
/// Sites in one run of the tests: each is driven through every crash, in seconds. `SHIFTPULSE_SEED=0..500` runs more.
const SITES: u64 = 12;
/// Streams in one run of the tests.
const STREAMS: u64 = 500;

/// What happens in the world of one seed.
struct World {
    posts: Vec<Post>,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let centre = centre(&mut dice);
        let posts = feed(&mut dice, &centre);
        Self { posts }
    }
}

/// One stream through both paths, without a log between. Where they differ, the contact that alone shows it is told.
fn stream(seed: u64) -> Result<(), String> {
    let world = World::new(seed);
    let Err(difference) = paths(&world.posts, &world.posts, 4) else { return Ok(()) };
    let mut names: Vec<&str> = world.posts.iter().flat_map(Post::contacts).collect();
    names.sort_unstable();
    names.dedup();
    let alone = names.iter().map(|name| world.posts.iter().map(|post| post.only(name)).collect::<Vec<_>>());
    let mut guilty = alone.filter(|posts| paths(posts, posts, 4).is_err());
    match guilty.next() {
        Some(posts) => Err(format!(
            "{}\nof these facts alone:\n{}",
            paths(&posts, &posts, 1000).err().unwrap_or_default(),
            told(&posts)
        )),
        None => Err(difference),
    }
}

fn told(posts: &[Post]) -> String {
    posts.iter().flat_map(Post::told).collect::<Vec<_>>().join("\n")
}

/// Gives `ours` to the engine and `theirs` to the recount, and compares what can be seen after `per_mille` of the records,
/// what the engine says by itself, and what has become of all after the last.
fn paths(ours: &[Post], theirs: &[Post], per_mille: i64) -> Result<(), String> {
    let mut dice = Dice::new(ours.len() as u64);
    let (mut engine, mut recount) = (Engine::new(0), Recount::new());
    let (mut said, mut seen) = (Vec::new(), compare::Said::default());
    let mut append = 0;
    for (number, (post, other)) in ours.iter().zip(theirs).enumerate() {
        append = post.at.max(append);
        if dice.chance(1) {
            let bytes = engine.snapshot()?;
            engine =
                Engine::restore(&bytes).map_err(|reason| format!("a snapshot cannot be read: {reason}"))?;
        }
        engine.handle(&post.record(number as i64, append), &mut said);
        recount.push(&other.record(number as i64, append));
        let at = |difference| format!("record {number} at {append}, {}: {difference}", post.what());
        seen.hear(&mut said, &recount, dice.chance(10)).map_err(at)?;
        if dice.chance(per_mille) || number + 1 == ours.len() {
            compare::views(&mut engine, &recount).map_err(at)?;
        }
    }
    seen.compare(&recount)
}

/// Runs the seeds, or those that the environment names (`SHIFTPULSE_SEED=17`, `SHIFTPULSE_SEED=500..2000`), and reports the first that fails.
fn all(what: &str, seeds: impl Iterator<Item = u64>, run: impl Fn(u64) -> Result<(), String>) {
    let named = std::env::var("SHIFTPULSE_SEED").ok().map(|text| {
        let (from, to) = text.split_once("..").unwrap_or((&text, ""));
        let from: u64 = from.parse().expect("SHIFTPULSE_SEED is a number or a range of numbers");
        from..to.parse().unwrap_or(from + 1)
    });
    let seeds: Vec<u64> = named.map_or_else(|| seeds.collect(), |range| range.collect());
    for seed in seeds {
        if let Err(difference) = run(seed) {
            panic!(
                "{what}, seed {seed}: {difference}\nrun it again: SHIFTPULSE_SEED={seed} cargo test --test simulation {what}"
            );
        }
    }
}

#[test]
fn any_stream_gives_the_same_on_both_paths() {
    all("any_stream", KEPT.iter().copied().chain(0..STREAMS), stream);
}

#[test]
fn a_site_that_crashes_everywhere_says_the_same() {
    all("a_site", KEPT_SITES.iter().copied().chain(0..SITES), site::run);
}
