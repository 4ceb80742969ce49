//! Every expression of a board, as Prometheus gets it once the reader has chosen.

use serde_json::Value;

/// An expression and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Panel, annotation or variable, with the letter of the query.
    pub place: String,
    /// PromQL, variables filled in.
    pub expression: String,
}

/// All expressions of a board: panels, annotations, and the metrics of variables. `chosen` are the values of its variables,
/// such as `("queue", ".*")`; the time shown is `("__range", "2h")` where a board uses it.
pub fn of(board: &Value, chosen: &[(&str, &str)]) -> Vec<Asked> {
    let mut all = Vec::new();
    for panel in list(&board["panels"]) {
        for target in list(&panel["targets"]) {
            let place = format!("{} {}", text(&panel["title"]), text(&target["refId"]));
            all.push(Asked { place, expression: filled(text(&target["expr"]), chosen) });
        }
    }
    for note in list(&board["annotations"]["list"]) {
        let place = format!("annotation {}", text(&note["name"]));
        all.push(Asked { place, expression: filled(text(&note["expr"]), chosen) });
    }
    for variable in list(&board["templating"]["list"]) {
        let asked = text(&variable["definition"]);
        if let Some((metric, label)) =
            asked.strip_prefix("label_values(").and_then(|rest| rest.split_once(", "))
        {
            let expression = format!("count by ({}) ({metric})", label.trim_end_matches(')'));
            all.push(Asked { place: format!("variable {}", text(&variable["name"])), expression });
        }
    }
    all
}

fn filled(expression: &str, chosen: &[(&str, &str)]) -> String {
    chosen.iter().fold(expression.to_owned(), |text, (name, value)| {
        text.replace(&format!("${{{name}}}"), value).replace(&format!("${name}"), value)
    })
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
