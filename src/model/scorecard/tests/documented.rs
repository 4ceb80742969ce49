//! The pages about scorecards say what the code does: every key is named, the tutorial's card comes out.

use super::super::{Card, load};

const PAGES: [&str; 2] = [
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/scorecards.md")),
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/scorecards.zh-CN.md")),
];

#[test]
fn every_key_is_on_both_pages() {
    let keys = [&load::HEAD[..], &load::HEAD_LATER, &load::item::KEYS, &load::item::LATER].concat();
    for page in PAGES {
        for key in &keys {
            let named =
                ["`{}`", "`[{}]`", "`[[{}]]`"].iter().any(|form| page.contains(&form.replace("{}", key)));
            assert!(named, "{key}");
        }
    }
}

#[test]
fn the_tutorial_comes_out() {
    for page in PAGES {
        let blocks: Vec<_> =
            page.split("```toml").skip(1).filter_map(|rest| rest.split("```").next()).collect();
        let [head_and_items, grades, example] = blocks.as_slice() else { panic!("{} blocks", blocks.len()) };
        let (head, items) = head_and_items.split_once("[items]").unwrap();
        let text = format!("{head}{grades}[items]{items}{example}");
        let card = Card::check("first.toml", &text).unwrap_or_else(|problems| panic!("{problems}"));
        let scored = card.worked().next().unwrap();
        let arithmetic = scored.items.iter().map(|item| &item.why).chain([&scored.why]);
        let english = page.contains("--language en");
        for why in arithmetic {
            let text = if english { &why.en } else { &why.zh };
            assert!(page.contains(text), "{text}");
        }
        let misspelt = text.replacen("weight", "wieght", 1);
        let problems = Card::parse("config/scorecards/first.toml", &misspelt).unwrap_err();
        assert!(page.contains(&problems.list()[0].message) && page.contains(&problems.list()[0].remedy));
    }
}
