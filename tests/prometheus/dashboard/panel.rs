//! Panels as Grafana wants them. What they have in common stands here: no value is a dash, no colour says "good".

use serde_json::{Value, json};

/// Near its limit. Both colours keep a contrast of 3 on light and on dark ground.
pub const NEAR: &str = "#B07A14";
/// Outside its limit, or firing.
pub const OUTSIDE: &str = "#D2542B";
/// The colour of quiet.
pub const QUIET: &str = "text";

/// A place on the board: x, y, width, height, in 24ths of its width and in Grafana's rows.
pub type Place = (u32, u32, u32, u32);

/// A query whose newest value counts, as a table.
pub fn newest(id: &str, expression: impl Into<String>) -> Value {
    query(id, expression.into(), true, "table", "__auto")
}

/// A query over the time shown; `legend` names the lines.
pub fn history(id: &str, expression: impl Into<String>, legend: &str) -> Value {
    query(id, expression.into(), false, "time_series", legend)
}

fn query(id: &str, expression: String, newest: bool, format: &str, legend: &str) -> Value {
    json!({
        "datasource": datasource(), "editorMode": "code", "expr": expression, "format": format, "instant": newest,
        "legendFormat": legend, "range": !newest, "refId": id,
    })
}

/// The Prometheus that the reader chose.
pub fn datasource() -> Value {
    json!({"type": "prometheus", "uid": "${datasource}"})
}

/// Steps of colour; the first one has no beginning.
pub fn steps(steps: &[(Option<f64>, &str)]) -> Value {
    let steps: Vec<_> = steps.iter().map(|(from, colour)| json!({"color": colour, "value": from})).collect();
    json!({"mode": "absolute", "steps": steps})
}

/// What a field looks like unless an override says otherwise.
pub fn field(unit: &str, decimals: Option<u32>, thresholds: Value) -> Value {
    let mut field = json!({
        "color": {"mode": "thresholds"}, "mappings": [], "noValue": "—", "thresholds": thresholds, "unit": unit,
    });
    if let Some(decimals) = decimals {
        field["decimals"] = json!(decimals);
    }
    field
}

/// Properties of the fields of one name.
pub fn on_field(name: &str, properties: &[(&str, Value)]) -> Value {
    let properties: Vec<_> = properties.iter().map(|(id, value)| json!({"id": id, "value": value})).collect();
    json!({"matcher": {"id": "byName", "options": name}, "properties": properties})
}

/// A value shown as another text, with a colour where it has one.
pub fn mapped(pairs: &[(&str, &str, Option<&str>)]) -> Value {
    let options: serde_json::Map<String, Value> = pairs
        .iter()
        .enumerate()
        .map(|(index, (value, text, colour))| {
            let mut shown = json!({"index": index, "text": text});
            if let Some(colour) = colour {
                shown["color"] = json!(colour);
            }
            ((*value).to_owned(), shown)
        })
        .collect();
    json!([{"type": "value", "options": options}])
}

/// A big number with the last two hours behind it.
pub fn stat(title: &str, place: Place, query: Value, field: Value) -> Value {
    let options = json!({
        "colorMode": "value", "graphMode": "area", "justifyMode": "auto", "orientation": "auto", "textMode": "value",
        "reduceOptions": {"calcs": ["last"], "fields": "", "values": false}, "wideLayout": true,
    });
    panel("stat", title, place, vec![query], field, vec![], options)
}

/// A table of queries that are joined by one label.
pub fn table(
    title: &str,
    place: Place,
    targets: Vec<Value>,
    field: Value,
    overrides: Vec<Value>,
    transformations: Vec<Value>,
) -> Value {
    let options = json!({"cellHeight": "sm", "footer": {"show": false}, "showHeader": true});
    let mut panel = panel("table", title, place, targets, field, overrides, options);
    panel["transformations"] = json!(transformations);
    panel
}

/// Lines over time. A gap stays a gap.
pub fn lines(
    title: &str,
    place: Place,
    targets: Vec<Value>,
    mut field: Value,
    overrides: Vec<Value>,
) -> Value {
    let options = json!({
        "legend": {"calcs": [], "displayMode": "list", "placement": "bottom", "showLegend": true},
        "tooltip": {"mode": "multi", "sort": "none"},
    });
    field["color"] = json!({"mode": "palette-classic"});
    field["custom"] = json!({"drawStyle": "line", "fillOpacity": 0, "lineWidth": 2, "showPoints": "never", "spanNulls": false});
    panel("timeseries", title, place, targets, field, overrides, options)
}

/// Words.
pub fn text(title: &str, place: Place, markdown: &str) -> Value {
    let options = json!({"content": markdown, "mode": "markdown"});
    let mut panel = panel("text", title, place, vec![], json!({}), vec![], options);
    panel.as_object_mut().expect("an object").retain(|key, _| key != "targets" && key != "fieldConfig");
    panel
}

fn panel(
    kind: &str,
    title: &str,
    (x, y, w, h): Place,
    targets: Vec<Value>,
    field: Value,
    overrides: Vec<Value>,
    options: Value,
) -> Value {
    json!({
        "type": kind, "title": title, "datasource": datasource(), "gridPos": {"x": x, "y": y, "w": w, "h": h},
        "fieldConfig": {"defaults": field, "overrides": overrides}, "options": options, "targets": targets,
    })
}
