//! The shift board in Grafana: the same story, in the same order and words as the page of the service.
//!
//! Several instances may show the same result, so every expression takes the greatest by its subject. Colours have two
//! steps, near and outside; limits come from series, so that this board, the page and the alert draw one line.

use super::Lang;
use super::panel::{
    NEAR, OUTSIDE, Place, QUIET, datasource, field, history, lines, mapped, newest, on_field, stat, steps,
    table, text,
};
use serde_json::{Value, json};

/// The board in one language.
pub fn board(lang: Lang) -> Value {
    let panels = [now(lang), unit(lang), queues(lang), levels(lang), people(lang), words(lang)].concat();
    let numbered = panels.into_iter().enumerate().map(|(index, mut panel)| {
        panel["id"] = json!(index + 1);
        panel
    });
    json!({
        "uid": format!("shiftpulse-shift-{}", lang.code()),
        "title": lang.pick("班次看板", "Shift board"),
        "tags": ["shiftpulse"],
        "schemaVersion": 39,
        "version": 1,
        "editable": true,
        "fiscalYearStartMonth": 0,
        "graphTooltip": 1,
        "refresh": "5s",
        "time": {"from": "now-2h", "to": "now"},
        "timepicker": {},
        "timezone": "",
        "weekStart": "",
        "links": [],
        "annotations": {"list": [firing_times(lang)]},
        "templating": {"list": variables(lang)},
        "panels": numbered.collect::<Vec<_>>(),
    })
}

/// Shaded times in which an alert fired.
fn firing_times(lang: Lang) -> Value {
    json!({
        "name": lang.pick("告警中", "Firing"), "datasource": datasource(), "enable": true, "iconColor": OUTSIDE,
        "expr": "max by (rule, queue) (shiftpulse_alert_state{queue=~\"$queue\"} == 2)", "step": "15s",
        "titleFormat": "{{queue}}", "textFormat": "{{rule}}", "tagKeys": "",
    })
}

fn variables(lang: Lang) -> Vec<Value> {
    let asked = |name: &str, label: &str, metric: &str| {
        let query = format!("label_values({metric}, {name})");
        json!({
            "name": name, "label": label, "type": "query", "datasource": datasource(), "definition": query,
            "query": {"qryType": 1, "query": query, "refId": "V"}, "refresh": 2, "sort": 0, "hide": 0,
        })
    };
    let mut queue = asked("queue", lang.pick("队列", "Queue"), "shiftpulse_queue_info");
    for (key, value) in [("multi", json!(true)), ("includeAll", json!(true)), ("allValue", json!(".*"))] {
        queue[key] = value;
    }
    queue["current"] = json!({"selected": true, "text": ["All"], "value": ["$__all"]});
    let windows = ["5m", "30m", "1h", "day", "month"];
    let options: Vec<_> = windows
        .iter()
        .map(|window| json!({"selected": *window == "30m", "text": window, "value": window}))
        .collect();
    vec![
        json!({"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus", "hide": 0}),
        asked("unit", lang.pick("单位", "Unit"), "shiftpulse_unit_waiting"),
        queue,
        json!({
            "name": "window", "label": lang.pick("窗口", "Window"), "type": "custom", "query": windows.join(","),
            "options": options, "current": {"selected": true, "text": "30m", "value": "30m"}, "hide": 0,
        }),
        json!({
            "name": "board", "label": lang.pick("看板地址", "Board"), "type": "textbox", "query": "http://127.0.0.1:8080",
            "current": {"text": "http://127.0.0.1:8080", "value": "http://127.0.0.1:8080"}, "hide": 0,
        }),
    ]
}

/// What burns, how old the values are, and how complete.
fn now(lang: Lang) -> Vec<Value> {
    let quiet = steps(&[(None, QUIET)]);
    let since = "max by (rule, queue, kpi, severity) (shiftpulse_alert_since_timestamp_seconds{queue=~\"$queue\"} \
                 and on (rule, queue) shiftpulse_alert_state == 2) * 1000";
    let columns = [
        ("queue", lang.pick("队列", "Queue")),
        ("kpi", lang.pick("指标", "KPI")),
        ("rule", lang.pick("规则", "Rule")),
        ("severity", lang.pick("级别", "Severity")),
        ("Value", lang.pick("自", "Since")),
    ];
    let filled = json!({"type": "color-background", "mode": "basic"});
    let firing = table(
        lang.pick("▲ 告警中", "▲ Firing"),
        (0, 0, 16, 4),
        vec![newest("A", since)],
        field("none", None, quiet),
        vec![
            on_field(columns[4].1, &[("unit", json!("dateTimeAsLocal"))]),
            on_field(
                columns[0].1,
                &[("custom.cellOptions", filled), ("thresholds", steps(&[(None, OUTSIDE)]))],
            ),
        ],
        vec![arranged(&columns, &["Time"])],
    );
    let age = stat(
        lang.pick("数据新旧", "Age of the values"),
        (16, 0, 4, 4),
        history("A", "max(shiftpulse_live_clock_age_seconds)", ""),
        field("s", Some(0), steps(&[(None, QUIET), (Some(2.0), NEAR), (Some(10.0), OUTSIDE)])),
    );
    let coverage = stat(
        lang.pick("覆盖", "Coverage"),
        (20, 0, 4, 4),
        history("A", "min(shiftpulse_coverage_ratio)", ""),
        field("percentunit", Some(0), steps(&[(None, NEAR), (Some(1.0), QUIET)])),
    );
    vec![firing, age, coverage]
}

/// Six numbers of the unit. Its queues have targets, it has none, so nothing is coloured.
fn unit(lang: Lang) -> Vec<Value> {
    let number = |column: u32, title: &str, metric: &str, windowed: bool, unit: &str, decimals| {
        let window = if windowed { ", window=\"$window\"" } else { "" };
        let expression = format!("max(shiftpulse_unit_{metric}{{unit=\"$unit\"{window}}})");
        let quiet = field(unit, decimals, steps(&[(None, QUIET)]));
        stat(title, (column * 4, 4, 4, 4), history("A", expression, ""), quiet)
    };
    let one = Some(1);
    vec![
        number(0, lang.pick("等待", "Waiting"), "waiting", false, "none", None),
        number(1, lang.pick("最长等待", "Longest wait"), "longest_wait_seconds", false, "dthms", None),
        number(2, lang.pick("应答率", "Answer rate"), "answer_rate_ratio", true, "percentunit", one),
        number(3, lang.pick("放弃率", "Abandoned"), "abandonment_rate_ratio", true, "percentunit", one),
        number(4, lang.pick("待命", "Ready"), "ready", false, "none", None),
        number(5, lang.pick("在班", "On shift"), "on_shift", false, "none", None),
    ]
}

/// One row a queue, in a fixed order.
fn queues(lang: Lang) -> Vec<Value> {
    let name = lang.pick("zh", "en");
    let by_queue =
        |metric: &str, more: &str| format!("max by (queue) (shiftpulse_{metric}{{queue=~\"$queue\"{more}}})");
    let windowed = |metric: &str| by_queue(metric, ", window=\"$window\"");
    let level = windowed("queue_service_level_ratio");
    let target = by_queue("queue_target_ratio", ", kpi=\"service_level\"");
    let age = "max by (queue) (time() - timestamp(shiftpulse_queue_waiting{queue=~\"$queue\"}))";
    let info = format!("max by (queue, {name}, dialect) (shiftpulse_queue_info{{queue=~\"$queue\"}})");
    // Letter, expression, column; the names come from the labels of the first one.
    let values = [
        ("B", by_queue("alert_state", ""), lang.pick("状态", "State")),
        ("C", by_queue("queue_waiting", ""), lang.pick("等待", "Waiting")),
        ("D", by_queue("queue_longest_wait_seconds", ""), lang.pick("最长等待", "Longest wait")),
        ("E", level.clone(), lang.pick("服务水平", "Service level")),
        ("F", format!("{level} - {target}"), lang.pick("距目标", "Off target")),
        ("G", windowed("queue_answer_rate_ratio"), lang.pick("应答率", "Answer rate")),
        ("H", windowed("queue_abandonment_rate_ratio"), lang.pick("放弃率", "Abandoned")),
        ("I", by_queue("queue_ready", ""), lang.pick("待命", "Ready")),
        ("J", age.to_owned(), lang.pick("数据新旧", "Age")),
    ];
    let trend = lang.pick("两小时", "2 hours");
    let mut targets = vec![newest("A", info)];
    targets.extend(values.iter().map(|(id, expression, _)| newest(id, expression)));
    targets.push(history("K", level, ""));

    let shown =
        |id: &str| values.iter().find(|(letter, ..)| *letter == id).map_or("", |(_, _, title)| *title);
    let value_fields: Vec<_> = values.iter().map(|(id, _, title)| (format!("Value #{id}"), *title)).collect();
    let mut columns =
        vec![(value_fields[0].0.as_str(), value_fields[0].1), (name, lang.pick("队列", "Queue"))];
    columns.push(("dialect", lang.pick("口径", "Dialect")));
    columns.extend(value_fields[1..8].iter().map(|(field, title)| (field.as_str(), *title)));
    columns.push(("Trend #K", trend));
    columns.push((value_fields[8].0.as_str(), value_fields[8].1));

    let percent = [("unit", json!("percentunit")), ("decimals", json!(1))];
    let word = mapped(&[
        ("0", lang.pick("○ 正常", "○ ok"), Some("transparent")),
        ("1", lang.pick("△ 待定", "△ pending"), Some("transparent")),
        ("2", lang.pick("▲ 告警", "▲ firing"), Some(OUTSIDE)),
    ]);
    let filled = json!({"type": "color-background", "mode": "basic"});
    let coloured = json!({"type": "color-text"});
    let off = steps(&[(None, OUTSIDE), (Some(0.0), NEAR), (Some(0.02), QUIET)]);
    let link =
        json!([{"title": lang.pick("打开看板", "Open the board"), "url": "${board}/", "targetBlank": true}]);
    vec![table(
        lang.pick("队列现况", "Queues now"),
        (0, 8, 24, 10),
        targets,
        field("none", None, steps(&[(None, QUIET)])),
        vec![
            on_field(shown("B"), &[("mappings", word), ("custom.cellOptions", filled)]),
            on_field(lang.pick("队列", "Queue"), &[("links", link)]),
            on_field(shown("D"), &[("unit", json!("dthms"))]),
            on_field(shown("E"), &percent),
            on_field(
                shown("F"),
                &[
                    ("unit", json!("percentunit")),
                    ("decimals", json!(1)),
                    ("thresholds", off),
                    ("custom.cellOptions", coloured),
                ],
            ),
            on_field(shown("G"), &percent),
            on_field(shown("H"), &percent),
            on_field(shown("J"), &[("unit", json!("s")), ("decimals", json!(0))]),
            on_field(
                trend,
                &[
                    ("custom.cellOptions", json!({"type": "sparkline", "hideValue": true})),
                    ("custom.width", json!(220)),
                ],
            ),
        ],
        vec![
            json!({"id": "timeSeriesTable", "options": {"K": {"stat": "lastNotNull", "timeField": "Time"}}}),
            json!({"id": "joinByField", "options": {"byField": "queue", "mode": "outer"}}),
            arranged(&columns, &["Time", "Value #A", "queue"]),
        ],
    )]
}

/// One curve a queue with its target, the shortfall filled.
fn levels(lang: Lang) -> Vec<Value> {
    let (level, target) = (lang.pick("服务水平", "Service level"), lang.pick("目标", "Target"));
    let mut look = field("percentunit", Some(0), steps(&[(None, QUIET)]));
    (look["min"], look["max"]) = (json!(0.4), json!(1));
    let mut panel = lines(
        &format!("{level} · $queue"),
        (0, 18, 6, 7),
        vec![
            history(
                "A",
                "max by (queue) (shiftpulse_queue_service_level_ratio{queue=~\"$queue\", window=\"$window\"})",
                level,
            ),
            history(
                "B",
                "max by (queue) (shiftpulse_queue_target_ratio{queue=~\"$queue\", kpi=\"service_level\"})",
                target,
            ),
        ],
        look,
        vec![
            on_field(level, &[("color", fixed(QUIET))]),
            on_field(
                target,
                &[
                    ("color", fixed(OUTSIDE)),
                    ("custom.lineStyle", json!({"fill": "dash", "dash": [6, 6]})),
                    ("custom.lineWidth", json!(1)),
                    ("custom.fillBelowTo", json!(level)),
                    ("custom.fillOpacity", json!(15)),
                ],
            ),
        ],
    );
    panel["repeat"] = json!("queue");
    panel["repeatDirection"] = json!("h");
    panel["maxPerRow"] = json!(4);
    vec![panel]
}

fn fixed(colour: &str) -> Value {
    json!({"mode": "fixed", "fixedColor": colour})
}

/// Who does what, and each one's score so far unless the operator hid it.
fn people(lang: Lang) -> Vec<Value> {
    let states = [
        ("talking", lang.pick("接待", "Talking")),
        ("ringing", lang.pick("振铃", "Ringing")),
        ("wrap_up", lang.pick("后处理", "Wrap-up")),
        ("available", lang.pick("待命", "Ready")),
        ("paused", lang.pick("小休", "Break")),
        ("logged_out", lang.pick("未登录", "Signed out")),
    ];
    let mut stacked = lines(
        lang.pick("坐席状态", "Agents by state"),
        (0, 25, 12, 8),
        vec![history("A", "max by (state) (shiftpulse_unit_agents{unit=\"$unit\"})", "{{state}}")],
        field("none", Some(0), steps(&[(None, QUIET)])),
        states.iter().map(|(state, shown)| on_field(state, &[("displayName", json!(shown))])).collect(),
    );
    let look = &mut stacked["fieldConfig"]["defaults"]["custom"];
    look["lineInterpolation"] = json!("stepAfter");
    look["fillOpacity"] = json!(60);
    look["stacking"] = json!({"mode": "normal", "group": "A"});
    let words: Vec<_> = states.iter().map(|(state, shown)| (*state, *shown, None)).collect();
    vec![stacked, agents(lang, (12, 25, 12, 8), mapped(&words))]
}

fn agents(lang: Lang, place: Place, words: Value) -> Value {
    let columns = [
        ("team", lang.pick("班组", "Team")),
        ("agent", lang.pick("坐席", "Agent")),
        ("state", lang.pick("状态", "State")),
        ("Value #A", lang.pick("已有", "For")),
        ("Value #B", lang.pick("应答率", "Answer rate")),
        ("Value #C", lang.pick("响应", "Response")),
        ("Value #D", lang.pick("至今得分", "Score so far")),
    ];
    let by_agent = |metric: &str| format!("max by (agent) (shiftpulse_agent_{metric}{{window=\"$window\"}})");
    table(
        lang.pick("坐席", "Agents"),
        place,
        vec![
            newest("A", "max by (agent, team, state) (shiftpulse_agent_state_seconds)"),
            newest("B", by_agent("answer_rate_ratio")),
            newest("C", by_agent("response_time_each_seconds")),
            newest("D", "max by (agent) (shiftpulse_agent_score_points)"),
        ],
        field("none", None, steps(&[(None, QUIET)])),
        vec![
            on_field(columns[2].1, &[("mappings", words)]),
            on_field(columns[3].1, &[("unit", json!("dthms"))]),
            on_field(columns[4].1, &[("unit", json!("percentunit")), ("decimals", json!(1))]),
            on_field(columns[5].1, &[("unit", json!("dthms"))]),
            on_field(columns[6].1, &[("decimals", json!(2))]),
        ],
        vec![
            json!({"id": "joinByField", "options": {"byField": "agent", "mode": "outer"}}),
            arranged(&columns, &["Time"]),
        ],
    )
}

/// Columns in this order under these names, without those left out.
fn arranged(columns: &[(&str, &str)], left_out: &[&str]) -> Value {
    let by_name: serde_json::Map<String, Value> =
        columns.iter().enumerate().map(|(index, (field, _))| ((*field).to_owned(), json!(index))).collect();
    let named: serde_json::Map<String, Value> =
        columns.iter().map(|(field, title)| ((*field).to_owned(), json!(title))).collect();
    // Joined queries bring their times as "Time 1", "Time 2" ...
    let mut hidden: serde_json::Map<String, Value> =
        left_out.iter().map(|field| ((*field).to_owned(), json!(true))).collect();
    hidden.extend((1..=12).map(|n| (format!("Time {n}"), json!(true))));
    json!({"id": "organize", "options": {"excludeByName": hidden, "indexByName": by_name, "renameByName": named}})
}

fn words(lang: Lang) -> Vec<Value> {
    let zh = "[打开看板](${board}/) · **部分**：有来源没追平，数值可能还会变，告警先保持原状 · **—**：算不出，不是零 · \
              口径：`cisco_negative` 阈值内应答 ÷ 进线，放弃算未达标；不同口径的服务水平不合计 · 得分是至今的，定稿以账本为准";
    let en = "[Open the board](${board}/) · **Partial**: a source is behind, values may still change and alerts hold their \
              state · **—**: cannot be computed, which is not zero · Dialect: `cisco_negative` answered within the threshold ÷ \
              offered, an abandon is a miss; service levels of different dialects are not added · Scores are so far, finals \
              stand on the ledger";
    vec![text("", (0, 33, 24, 3), lang.pick(zh, en))]
}
