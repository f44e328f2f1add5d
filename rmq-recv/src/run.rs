//! One run of rmq-recv, from its arguments to its outcome.

use crate::arguments::{Arguments, OnFailure, PROGRAM};
use crate::peek::queue::Peek;
use crate::queue::dead_letter::{Question, context};
use crate::queue::retry::ask_again;
use crate::receiver::lasting::{Ends, Receiver};
use crate::receiver::tally::Tally;
use crate::settings::{Settings, SinkKind};
use crate::sink::Sink;
use crate::stops::Stops;
use rmq_common::amqp_error::AmqpError;
use rmq_common::count::counted;
use rmq_common::diagnostics::Diagnostics;
use rmq_common::duration::Limit;
use rmq_common::exit::Ending;
use rmq_common::failure::Failure;
use rmq_common::lane::Limits;
use rmq_common::progress::Progress;
use rmq_common::retry::Patience;
use rmq_common::session::Session;
use rmq_common::standing::live::Live;
use rmq_common::standing::stats_file::StatsFile;
use rmq_common::{files, runtime, signals, standard_streams};

/// Receives as the arguments say.
pub fn run(arguments: Arguments) -> Result<Ending, Failure> {
    runtime::block_on(receive(arguments))
}

async fn receive(arguments: Arguments) -> Result<Ending, Failure> {
    // A command inherits it, too.
    standard_streams::output()?;
    let settings = Settings::new(&arguments)?;
    let options = arguments.connection()?;
    let diagnostics = options.diagnostics(PROGRAM);
    let live = Live::new(Tally::default());
    live.print_on_signal(diagnostics)?;
    let stats = match &arguments.stats {
        Some(name) => {
            let stats = open_stats(name, diagnostics)?;
            Some(stats.start(arguments.stats_every, &live, diagnostics)?)
        }
        None => None,
    };
    let mut broker = options.broker(diagnostics)?;
    let message = arguments.max_size;
    let waiting = settings.prefetch_bytes.saturating_add(message);
    broker.limit(Limits { message, waiting, is_chosen: true });
    // Before the broker, so that a sender finds its FIFO open.
    let mut sink = Sink::start(&settings, diagnostics)?;
    let patience = Patience::new(options.first_retry());
    let session = broker.connect(&patience).await?;
    let on_failure = match &settings.sink {
        SinkKind::Command(command) => command.on_failure,
        _ => OnFailure::Stop,
    };
    let (session, rejects_first) = if on_failure.rejects() {
        let counts = on_failure.counts();
        let mut question = Question::new(settings.source.name(), broker.vhost(), counts);
        let ask = async |session: &Session| question.ask(session).await;
        let failed = |error: AmqpError| context(settings.source.name(), error.failure());
        let (session, found) = ask_again(&mut broker, &patience, session, ask, failed).await?;
        (session, found?.auto_delete)
    } else {
        (session, false)
    };
    let stops = Stops {
        signals: signals::requests_to_stop()?,
        reader_gone: sink.output_mut().map(|output| output.reader_gone()),
        sender_gone: sink.downstream().map(|downstream| downstream.fifo.sender_gone.clone()),
        deadline: settings.stop.deadline(),
    };
    if let Some(number) = settings.peek
        && let Some(output) = sink.output_mut()
    {
        let (broker, patience) = (&mut broker, Patience::new(options.first_retry()));
        let (settings, stops) = (&settings, &stops);
        let peek = Peek { settings, number, broker, patience, output, stops, diagnostics };
        return peek.run(session).await;
    }
    // A consumer waits for messages anyway, so it may also wait for the broker.
    let retry = options.retry_or(Limit::Forever);
    let shown = live.clone();
    let wanted = arguments.progress && !arguments.quiet;
    let prints = sink.output_mut().is_some();
    let progress =
        Progress::start(wanted, prints, PROGRAM, "acknowledged", move || shown.now().pulse());
    let ends = Ends { sink, stops, live, rejects_first };
    let receiver = Receiver::new(settings, broker, ends, retry, diagnostics);
    let (mut outcome, tally) = receiver.run(session).await;
    drop(progress);
    if let Some(stats) = stats
        && let Err(failure) = stats.finish(&tally)
    {
        outcome = outcome.and(Err(failure));
    }
    diagnostics.detail(&tally.to_string());
    if tally.with_newline > 0 {
        diagnostics.notice(&format!(
            "{} with newlines inside became several lines each (use --nul, --format length or \
             --format json)",
            counted(tally.with_newline, "message")
        ));
    }
    outcome
}

/// Opens the file of `--stats`, which must not be where the messages go.
fn open_stats(name: &str, diagnostics: Diagnostics) -> Result<StatsFile, Failure> {
    standard_streams::named(standard_streams::to_write(name))?;
    let stats = StatsFile::open(PROGRAM, name)?;
    diagnostics.trace(&format!("writing the tally to {}", stats.name()));
    if files::are_one(std::io::stdout(), stats.file()) {
        return Err(Failure::usage(format!("--stats {name}: the messages are written to it")));
    }
    Ok(stats)
}
