//! Every word of the board, in both languages. A text that lacks one language does not compile.

use crate::engine::definitions::Names;
use crate::model::event::AgentState;

/// A language of the product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lang {
    /// Chinese, simplified.
    Zh,
    /// English.
    En,
}

impl Lang {
    /// The language of a tag or of an `Accept-Language` header: the first of ours that it names.
    pub fn of(tag: &str) -> Option<Lang> {
        tag.split(',').find_map(|part| match part.trim().get(..2)?.to_ascii_lowercase().as_str() {
            "zh" => Some(Lang::Zh),
            "en" => Some(Lang::En),
            _ => None,
        })
    }

    /// The short code, for addresses and cookies.
    pub const fn code(self) -> &'static str {
        match self {
            Lang::Zh => "zh",
            Lang::En => "en",
        }
    }

    /// The tag for `lang`.
    pub const fn tag(self) -> &'static str {
        match self {
            Lang::Zh => "zh-CN",
            Lang::En => "en",
        }
    }

    /// A text in this language.
    pub const fn say(self, text: Text) -> &'static str {
        match self {
            Lang::Zh => text.zh,
            Lang::En => text.en,
        }
    }

    /// One of two texts that were made for the occasion.
    pub fn pick(self, zh: impl Into<String>, en: impl Into<String>) -> String {
        match self {
            Lang::Zh => zh.into(),
            Lang::En => en.into(),
        }
    }

    /// A name in this language; else in the other one; else the identifier.
    pub fn name<'a>(self, names: &'a Names, id: &'a str) -> &'a str {
        let (own, other) = match self {
            Lang::Zh => (&names.zh, &names.en),
            Lang::En => (&names.en, &names.zh),
        };
        [own, other].into_iter().find(|name| !name.is_empty()).map_or(id, String::as_str)
    }
}

/// A text in both languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text {
    zh: &'static str,
    en: &'static str,
}

macro_rules! texts {
    ($($name:ident: $zh:literal, $en:literal;)*) => {
        $(#[doc = concat!($zh, " / ", $en)] pub const $name: Text = Text { zh: $zh, en: $en };)*
        #[cfg(test)]
        pub(super) const ALL: &[Text] = &[$($name),*];
    };
}

texts! {
    BOARD: "看板", "Board";
    SKIP: "跳到队列", "Skip to queues";
    AS_OF: "截至", "As of";
    LANGUAGE: "语言", "Language";
    THEME: "切换明暗", "Switch theme";
    KEYS: "按键", "Keys";
    QUEUES_NOW: "队列现况", "Queues now";
    QUEUE_DIALECT: "队列 · 服务水平口径", "Queue · dialect";
    OTHER_QUEUES: "其余队列", "Others";
    WAITING: "等待", "Waiting";
    WAIT_SHORT: "等待", "Wait";
    LONGEST: "最长等待", "Longest wait";
    LONGEST_SHORT: "最长", "Longest";
    MIN_SEC: "分:秒", "min:s";
    SERVICE_LEVEL: "服务水平", "Service level";
    SERVICE_LEVEL_SHORT: "服务水平", "SL";
    ANSWER_RATE: "应答率", "Answer rate";
    ANSWER_SHORT: "应答率", "Answer";
    ABANDONED: "放弃率", "Abandoned";
    READY: "待命", "Ready";
    READY_SLASH: "待命", "Ready /";
    ON_SHIFT_SLASH: "/ 在班", "on shift";
    ALL_QUEUES: "全部队列", "All queues";
    DIALECTS_DIFFER: "口径不同，不合计", "dialects differ, not added";
    NOT_ADDED: "不合计", "not added";
    NONE_WAITING: "无人等待", "none waiting";
    NONE_SHORT: "无人", "none";
    NO_CONTACTS: "无联络", "no contacts";
    NOT_REPORTED: "未上报", "not reported";
    FEW: "样本少，不告警", "few, no alert";
    AGENTS_BY_STATE: "坐席状态", "Agents by state";
    AGENT: "坐席", "Agent";
    STATE_FOR: "状态 · 已", "State · for";
    RESPONSE: "响应", "Resp.";
    SCORE: "本月得分", "Score";
    NO_REPLIES: "无", "none";
    DUE: "待录入", "due";
    NO_SCORE: "无", "none";
    UNDECIDED: "参数未定", "undecided";
    NO_TEAM: "未分组", "No team";
    FIXED_ORDER: "顺序固定，不随数值跳动", "fixed order, rows never jump";
    ALERTS_TODAY: "今日告警记录", "Alerts today";
    NO_ALERT: "没有告警", "No alerts";
    NONE_SO_FAR: "今天没有告警", "None so far today";
    NO_OTHER: "没有待定的告警", "Nothing pending";
    FIRING: "告警中", "firing";
    OUTSIDE: "越线", "outside target";
    NEAR: "接近或待定", "near or pending";
    PARTIAL: "部分", "partial";
    STALE: "过期", "stale";
    NORMAL: "正常", "normal";
    NULL: "不可计算", "cannot be computed";
    RESOLVED: "已恢复", "resolved";
    LEGEND: "图例", "Legend";
    LEGEND_PARTIAL: "部分：来源未追平", "partial: a source is behind";
    LEGEND_STALE: "过期：无新数据", "stale: no new data";
    LEGEND_NULL: "不可计算，附原因", "cannot be computed, with reason";
    PROVISIONAL: "临时", "provisional";
    FINAL: "定稿", "final";
    SCORES_PROVISIONAL: "定稿前，本月得分均为临时", "Scores are provisional until the month is final";
    WINDOW: "时间窗口", "Window";
    NOT_CONNECTED: "尚无数据", "No data yet";
    SPARK_ALT: "服务水平，近 2 小时", "Service level, last 2 h";
    RECONNECTING: "下面的数不再更新；告警请看寻呼。重连后自动补齐，不用刷新。", "The numbers below do not move; trust your pager for alerts. They catch up by themselves, no reload needed.";
    RETRY: "立即重试", "Retry now";
    RECONNECTED: "已重新连上", "Reconnected";
    CLOSE: "关闭", "Close";
    KEY_T: "明暗", "Theme";
    KEY_Z: "语言", "Language";
    KEY_W: "下一个时间窗口", "Next window";
    KEY_A: "今日告警记录", "Alerts today";
    KEY_P: "暂停更新", "Pause";
    KEY_R: "立即重连", "Reconnect now";
    KEY_HELP: "全部按键", "All keys";
    KEY_KILL: "3 秒内按两次：杀掉引擎", "Twice within 3 s: kill the engine";
    SINGLE_KEYS: "使用单键", "Use single keys";
    WITHOUT_SCRIPT: "未启用脚本：这一页是一张快照，不会自己更新。", "Scripts are off: this page is a snapshot and does not update itself.";
    RELOAD: "重新载入", "Reload";
    DEMO: "演示", "Demo";
    AGAINST_TRUTH: "与真值对照", "Against the truth";
    TRUTH_HEAD: "队列：我们的值，真值在下", "Queues: our value, the true one beneath";
    TRUTH_NOTE: "若有出入，显示 ≠ 与差值", "a difference would show as ≠ with its amount";
    TRUTH_TEXT: "模拟器自己计数，从不读我们的结果。在同一位置逐个比较，按精确分数。", "The simulator counts on its own and never reads ours. Compared one by one at the same offset, as exact fractions.";
    TRUTH: "真值", "truth";
    EQUAL: "一致", "equal";
    EQUAL_LEGEND: "与真值一致", "equal to the truth";
    DIFFERS_LEGEND: "≠ 有出入，附差值", "≠ differs, with the amount";
    QUEUE_VALUES: "队列值", "queue values";
    TEAM_VALUES: "小组与部门值", "team and unit values";
    AGENT_VALUES: "坐席值", "agent values";
    MONTH_ITEMS: "本月得分项", "month items";
    KILL: "杀掉引擎", "Kill the engine";
    KILL_TEXT: "如同断电：没有预告，联络照样进来。", "Like a power cut: no warning, contacts keep arriving.";
    RESTARTING: "引擎正在恢复", "The engine is restoring";
    FENCE: "隔离旧引擎", "fence";
    SNAPSHOT: "快照", "snapshot";
    CATCH_UP: "追平", "catch up";
    DIGEST_MATCHED: "摘要一致", "digest matched";
    DIGEST_DIFFERS: "摘要不一致", "digest differs";
    NEVER_KILLED: "还没有杀过", "not killed yet";
    LOST: "丢失", "lost";
    TWICE: "重复计数", "counted twice";
    REPEATED: "重复告警", "alerts repeated";
    ALL_KILLS: "全部重启合计", "all restarts";
    TO_THE_CUT: "后切分", "to the cut";
    WAITS_FOR: "在等：", "waits for: ";
    DUPLICATES: "故意重发，已识别", "sent twice, recognised";
    OUT_OF_ORDER: "乱序到达，结果不变", "out of order, same result";
    BAD_RECORDS: "坏记录，已隔离", "bad records, set aside";
    COMPARING: "正在比较", "comparing";
}

/// The word for a state of an agent.
pub fn agent_state(state: AgentState, lang: Lang) -> &'static str {
    let (zh, en) = match state {
        AgentState::Talking => ("接待", "Talking"),
        AgentState::Ringing => ("振铃", "Ringing"),
        AgentState::WrapUp => ("后处理", "Wrap-up"),
        AgentState::Available => ("待命", "Ready"),
        AgentState::Paused => ("小休", "Break"),
        AgentState::LoggedOut => ("未登录", "Signed out"),
    };
    lang.say(Text { zh, en })
}

/// The word for a KPI; the key itself when the board does not know it.
pub fn kpi(key: &str, lang: Lang) -> String {
    let (zh, en) = match key {
        "answer_rate" => ("应答率", "answer rate"),
        "service_level" => ("服务水平", "service level"),
        "abandonment_rate" => ("放弃率", "abandonment rate"),
        "longest_wait" => ("最长等待", "longest wait"),
        "average_speed_of_answer_ms" => ("平均应答速度", "mean speed of answer"),
        "handle_time_ms" => ("平均处理时长", "mean handle time"),
        "resolution_rate" => ("解决率", "resolution rate"),
        other => return other.to_owned(),
    };
    lang.say(Text { zh, en }).to_owned()
}

/// As [`kpi`], where there is little room.
pub fn kpi_short(key: &str, lang: Lang) -> String {
    match (key, lang) {
        ("answer_rate", Lang::En) => "answered".to_owned(),
        ("service_level", Lang::En) => "SL".to_owned(),
        _ => kpi(key, lang),
    }
}

/// The word for a channel.
pub fn channel(key: &str, lang: Lang) -> &str {
    let (zh, en) = match key {
        "voice" => ("语音", "voice"),
        "chat" => ("文字", "chat"),
        "email" => ("邮件", "mail"),
        other => return other,
    };
    lang.say(Text { zh, en })
}

/// A window in a sentence: `近 30 分钟`, `last 30 min`.
pub fn window_long(window: &str, lang: Lang) -> &'static str {
    let (zh, en) = match window {
        "5m" => ("近 5 分钟", "last 5 min"),
        "1h" => ("近 1 小时", "last 1 h"),
        "day" => ("今日", "today"),
        "month" => ("本月", "this month"),
        _ => ("近 30 分钟", "last 30 min"),
    };
    lang.say(Text { zh, en })
}

/// A window on its button.
pub fn window_short(window: &str, lang: Lang) -> &'static str {
    let (zh, en) = match window {
        "5m" => ("5 分", "5 min"),
        "1h" => ("1 时", "1 h"),
        "day" => ("今日", "Day"),
        "month" => ("本月", "Month"),
        _ => ("30 分", "30 min"),
    };
    lang.say(Text { zh, en })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_has_words_in_both_languages() {
        for text in ALL {
            assert!(!text.zh.trim().is_empty() && !text.en.trim().is_empty(), "{text:?}");
            assert!(text.en.is_ascii() || text.en.contains('·') || text.en.contains('≠'), "{text:?}");
        }
    }

    #[test]
    fn the_browsers_first_known_language_is_taken() {
        assert_eq!(Lang::of("fr-FR,zh-TW;q=0.9,en;q=0.8"), Some(Lang::Zh));
        assert_eq!(Lang::of("en-GB"), Some(Lang::En));
        assert_eq!(Lang::of("fr, de"), None);
        assert_eq!(Lang::of(""), None);
    }

    #[test]
    fn a_name_that_is_missing_in_one_language_is_shown_in_the_other() {
        let names = Names { zh: "账单".into(), en: String::new() };
        assert_eq!(Lang::En.name(&names, "billing"), "账单");
        assert_eq!(Lang::En.name(&Names::default(), "billing"), "billing");
    }
}
