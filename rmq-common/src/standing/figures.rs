//! Counts by name, and the forms for programs: JSON, and the format that the textfile collector of
//! Prometheus' node_exporter reads
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/>).

use std::fmt::{Display, Write};

/// One number about a run.
#[derive(Clone, Copy, Debug)]
pub struct Figure {
    /// One or more words, with underscores. It is documented and does not change.
    pub name: &'static str,
    /// What it counts.
    pub help: &'static str,
    /// Whether it may decrease.
    pub kind: Kind,
    /// The number.
    pub value: f64,
}

/// Whether a number may decrease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It only grows.
    Counter,
    /// It may decrease.
    Gauge,
}

impl Figure {
    /// A number that only grows.
    pub fn counter(name: &'static str, value: u64, help: &'static str) -> Self {
        Figure { name, help, kind: Kind::Counter, value: value as f64 }
    }

    /// A number that may decrease.
    pub fn gauge(name: &'static str, value: u64, help: &'static str) -> Self {
        Figure { name, help, kind: Kind::Gauge, value: value as f64 }
    }

    /// Seconds since the run began.
    pub fn seconds(value: f64) -> Self {
        Figure { name: "seconds", help: "Seconds since the run began.", kind: Kind::Gauge, value }
    }
}

/// The counts of a run, for those that ask.
pub trait Standing: Display + Clone + Send + 'static {
    /// The counts.
    fn figures(&self) -> Vec<Figure>;
}

/// A JSON object on one line.
pub fn json(figures: &[Figure]) -> String {
    let members = figures.iter().map(|it| format!("\"{}\":{}", it.name, it.value));
    format!("{{{}}}\n", members.collect::<Vec<_>>().join(","))
}

/// The metrics of a run of `program`. Several runs on one host need a label that differs.
pub fn prometheus(figures: &[Figure], program: &str, run: &str) -> String {
    let program = program.replace('-', "_");
    let run = run.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    let mut text = String::new();
    for Figure { name, help, kind, value } in figures {
        let (end, kind) = match kind {
            Kind::Counter => ("_total", "counter"),
            Kind::Gauge => ("", "gauge"),
        };
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "# HELP {program}_{name}{end} {help}\n# TYPE {program}_{name}{end} {kind}\n\
             {program}_{name}{end}{{run=\"{run}\"}} {value}\n"
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures() -> [Figure; 3] {
        [
            Figure::counter("read", u64::from(u32::MAX), "Records read."),
            Figure::gauge("unconfirmed", 0, "Records not confirmed."),
            Figure::seconds(1.25),
        ]
    }

    #[test]
    fn json_is_an_object_of_numbers() {
        let json = json(&figures());
        assert_eq!(json, "{\"read\":4294967295,\"unconfirmed\":0,\"seconds\":1.25}\n");
        let parsed: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(parsed["read"].as_u64(), Some(4_294_967_295));
    }

    #[test]
    fn metrics_have_a_help_a_type_and_a_label() {
        let text = prometheus(&figures()[..2], "rmq-send", "a\"b\\");
        let wanted = "# HELP rmq_send_read_total Records read.\n\
                      # TYPE rmq_send_read_total counter\n\
                      rmq_send_read_total{run=\"a\\\"b\\\\\"} 4294967295\n\
                      # HELP rmq_send_unconfirmed Records not confirmed.\n\
                      # TYPE rmq_send_unconfirmed gauge\n\
                      rmq_send_unconfirmed{run=\"a\\\"b\\\\\"} 0\n";
        assert_eq!(text, wanted);
    }
}
