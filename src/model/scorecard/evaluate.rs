//! One member's inputs through one card: leaves, groups, total, grade. Pure, exact, in file order.

use super::card::Card;
use super::exact::{Exact, exact_text, shown};
use super::grade::total_shown;
use super::item::{IfMissing, IfNull, Item, Open, Share, takes_marks_as_points};
use super::limits::within;
use super::result::{Due, Inputs, Scored, ScoredItem, State, Why};
use super::rule::{Effect, Fold, Folded, Input, Part, Rule, Shape, Taken, fold, take};
use num_traits::{One, Zero};

/// An item's result before it is handed out.
struct Node {
    state: State,
    effect: Effect,
    value: Option<String>,
    known: (Exact, Exact),
    due: Vec<Due>,
    why: Why,
}

/// Scores one member. What the result says depends on the card and the inputs alone.
pub(super) fn evaluate(card: &Card, inputs: &Inputs) -> Scored {
    let mut nodes: Vec<Option<Node>> = card.items.iter().map(|_| None).collect();
    for place in card.items.leaves_first() {
        let item = card.items.get(place);
        let node = match (item.is_open(), item.rule.set()) {
            (false, Some(Rule::Value { input, shape, min_sample })) => {
                leaf(item, &card.total.scale, inputs, input, shape, *min_sample)
            }
            (false, Some(Rule::Parts { fold })) => group(card, item, *fold, &nodes),
            _ => open(item, known_inside(card, item, &nodes)),
        };
        nodes[place] = Some(node);
    }
    let nodes: Vec<Node> = nodes.into_iter().flatten().collect();
    finish(card, inputs, &nodes)
}

fn leaf(item: &Item, scale: &Exact, inputs: &Inputs, input: &Input, shape: &Shape, min_sample: u32) -> Node {
    let full = item.full(scale);
    let highest_mark = full.as_ref().filter(|_| takes_marks_as_points(input, shape));
    match take(input, min_sample, highest_mark, inputs) {
        Taken::Pending(due, why) => pending(item, full, due, why, inputs.deadline_over),
        Taken::Null(why) => null(item, full, why),
        Taken::Value { value, text, phrase } => {
            let mark = full.clone().unwrap_or_else(Exact::one);
            match shape.points(&value, input.kind(), &mark, &item.limits.cap, &phrase) {
                Some((points, why)) => {
                    let (points, why) = item.limits.apply(points, why, full.as_ref());
                    let known = (points.clone(), full.unwrap_or_else(Exact::zero));
                    let effect = Effect::Points(points);
                    Node { state: State::Counted, effect, value: Some(text), known, due: vec![], why }
                }
                None => null(
                    item,
                    full,
                    Why::new(format!("{phrase} 不在任何一档"), format!("{phrase} is in no band")),
                ),
            }
        }
    }
}

fn nothing() -> (Exact, Exact) {
    (Exact::zero(), Exact::zero())
}

fn null(item: &Item, full: Option<Exact>, why: Why) -> Node {
    let full = full.unwrap_or_else(Exact::zero);
    let (effect, why) = match item.absent.if_null {
        _ if item.share == Share::Shown => (Effect::Leaves, why),
        IfNull::NotApplicable => (Effect::Leaves, leaves(&why)),
        IfNull::Zero => (Effect::Points(Exact::zero()), why.then("，按 0 分计", ": counts as 0 points")),
        IfNull::Full => {
            let text = shown(&full);
            let why = why
                .then(&format!("，按满分 {text} 分计"), &format!(": counts as the full mark, {text} points"));
            (Effect::Points(full.clone()), why)
        }
        IfNull::Hold => (Effect::Holds, why.then("，暂不计总分", ": there is no total")),
    };
    absent(State::Null, effect, full, vec![], why)
}

fn pending(item: &Item, full: Option<Exact>, due: Vec<Due>, why: Why, deadline_over: bool) -> Node {
    let full = full.unwrap_or_else(Exact::zero);
    let (effect, why) = match item.absent.if_missing {
        _ if item.share == Share::Shown => (Effect::Leaves, why),
        _ if !deadline_over => {
            (Effect::Leaves, why.then("，其余项目暂按比例折算", "; the rest is scaled up for now"))
        }
        IfMissing::Hold => {
            (Effect::Holds, why.then("，已过期限，无总分", "; its last day is over, there is no total"))
        }
        IfMissing::NotApplicable => (Effect::Leaves, leaves(&why)),
        IfMissing::Zero => (
            Effect::Points(Exact::zero()),
            why.then("，已过期限，按 0 分计", "; its last day is over: counts as 0 points"),
        ),
    };
    absent(State::Pending, effect, full, due, why)
}

fn leaves(why: &Why) -> Why {
    Why::new(
        format!("不适用：{}，其余项目按比例折算", why.zh),
        format!("not applicable: {}; the rest is scaled up", why.en),
    )
}

fn absent(state: State, effect: Effect, full: Exact, due: Vec<Due>, why: Why) -> Node {
    let known = match &effect {
        Effect::Points(points) => (points.clone(), full),
        Effect::Leaves | Effect::Holds => nothing(),
    };
    Node { state, effect, value: None, known, due, why }
}

fn open(item: &Item, known: (Exact, Exact)) -> Node {
    let names: Vec<_> = item.open.iter().map(|key| format!("{}.{key}", item.id)).collect();
    let names = names.join(", ");
    let why = Why::new(format!("未定参数：{names}"), format!("not decided: {names}"));
    Node { state: State::Open, effect: Effect::Holds, value: None, known, due: vec![], why }
}

fn parts<'a>(card: &'a Card, parent: Option<&str>, nodes: &[Option<Node>]) -> Vec<Part<'a>> {
    let part = |place: usize| {
        let item = card.items.get(place);
        let node = nodes[place].as_ref().filter(|_| item.share != Share::Shown)?;
        Some(part(item, node))
    };
    card.items.within(parent).into_iter().filter_map(part).collect()
}

fn part<'a>(item: &'a Item, node: &Node) -> Part<'a> {
    Part {
        zh: &item.names.zh,
        en: &item.names.en,
        share: item.part().cloned(),
        state: node.state,
        effect: node.effect.clone(),
        known: node.known.clone(),
    }
}

fn group(card: &Card, item: &Item, kind: Fold, nodes: &[Option<Node>]) -> Node {
    let folded = fold(kind, &parts(card, Some(&item.id), nodes), false);
    let full = item.full(&card.total.scale);
    let Folded { state, effect, known, why } = folded;
    match effect {
        Effect::Points(points) => {
            let (points, why) = item.limits.apply(points, why, full.as_ref());
            let known = (points.clone(), full.unwrap_or_else(Exact::zero));
            Node { state, effect: Effect::Points(points), value: None, known, due: vec![], why }
        }
        effect => Node { state, effect, value: None, known, due: vec![], why },
    }
}

/// What is certain inside a group that is itself open.
fn known_inside(card: &Card, item: &Item, nodes: &[Option<Node>]) -> (Exact, Exact) {
    match item.rule.any() {
        Some(Rule::Parts { fold: kind }) => fold(*kind, &parts(card, Some(&item.id), nodes), false).known,
        _ => nothing(),
    }
}

fn finish(card: &Card, inputs: &Inputs, nodes: &[Node]) -> Scored {
    let top = card.items.within(None).into_iter().filter(|i| card.items.get(*i).share != Share::Shown);
    let parts: Vec<_> = top.map(|i| part(card.items.get(i), &nodes[i])).collect();
    let Folded { state, effect, known, why } = fold(card.fold, &parts, true);
    let due = due(card, nodes);
    let mut scored = Scored {
        total: None,
        total_shown: None,
        absent: (state != State::Counted).then_some(state),
        grade: None,
        known: known.0,
        known_full: known.1,
        provisional: !inputs.period_closed || (!due.is_empty() && !inputs.deadline_over),
        due,
        items: card
            .items
            .iter()
            .zip(nodes)
            .enumerate()
            .map(|(i, (item, node))| hand_out(card, i, item, node))
            .collect(),
        why,
    };
    if let Effect::Points(points) = effect {
        let why = std::mem::take(&mut scored.why);
        let (total, why) = within(points, why, card.total.floor.as_ref(), card.total.cap.as_ref());
        scored.total_shown = Some(total_shown(&total, card.total.display, card.grades.as_ref()));
        (scored.grade, scored.why) = graded(card, &total, why);
        scored.total = Some(total);
    }
    scored
}

fn graded(card: &Card, total: &Exact, why: Why) -> (Option<super::Grade>, Why) {
    match &card.grades {
        None => (None, why),
        Some(Open::Set(grades)) => match grades.of(total) {
            None => (None, why),
            Some((test, grade)) => {
                let zh = format!("；属于“{test}”：{}", grade.label);
                let en = format!("; in \"{test}\": {}", grade.en);
                (Some(grade.clone()), why.then(&zh, &en))
            }
        },
        Some(Open::Proposed(_) | Open::Unset) => {
            let names: Vec<_> = card.open_grades.iter().map(|key| format!("grades.{key}")).collect();
            let names = names.join(", ");
            (None, why.then(&format!("；等级未定：{names}"), &format!("; no grade, not decided: {names}")))
        }
    }
}

/// Missing inputs of items that count towards the total; each once, in file order.
fn due(card: &Card, nodes: &[Node]) -> Vec<Due> {
    let mut all = Vec::new();
    for (i, node) in nodes.iter().enumerate() {
        if card.required(i) {
            node.due.iter().for_each(|due| {
                if !all.contains(due) {
                    all.push(due.clone());
                }
            });
        }
    }
    all
}

fn hand_out(card: &Card, place: usize, item: &Item, node: &Node) -> ScoredItem {
    let points = match &node.effect {
        Effect::Points(points) => Some(points.clone()),
        Effect::Leaves | Effect::Holds => None,
    };
    ScoredItem {
        id: item.id.clone(),
        parent: item.parent.clone(),
        zh: item.names.zh.clone(),
        en: item.names.en.clone(),
        state: node.state,
        value: node.value.clone(),
        points,
        full: item.full(&card.total.scale).map(|full| exact_text(&full)),
        share: card.share_of_total(place),
        why: node.why.clone(),
    }
}
