//! Events from a file with one JSON object a line, followed as it grows.
//!
//! The position of an event is the byte of its line's end, so that the next position is where the next line begins. The
//! life of the file is a hash of its first line: a file that was rotated away, or emptied and filled again, has another
//! one and is read from its beginning, after what was left of the old one. A last line without its end waits for it.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Found, Origin, Resume, Sink, Slot, Source, SourceError};
use crate::wire::native::MAX_RECORD;

/// Events handed over in one poll.
const MOST: usize = 1_000;
/// So much of a line is kept; a longer one is refused as too large anyway.
const KEPT: usize = MAX_RECORD + 1;

/// A followed file.
pub struct FileSource {
    path: PathBuf,
    origin: Origin,
    open: Option<Open>,
    slots: usize,
}

/// The file as it is being read.
struct Open {
    lines: BufReader<File>,
    life: u64,
    slot: Slot,
    /// Bytes read, the beginning of a line in `torn` included.
    position: u64,
    /// A line whose end has not come.
    torn: Vec<u8>,
    caught_up: bool,
}

impl FileSource {
    /// Follows `path`, which need not exist yet, as `topic` (`$file` by default) and partition.
    pub fn follow(path: &Path, origin: Origin) -> FileSource {
        FileSource { path: path.to_owned(), origin, open: None, slots: 0 }
    }

    /// Begins with the file that the path names now, if its first line is there.
    fn begin(&mut self, sink: &mut dyn Sink) -> io::Result<()> {
        let Some((mut file, life)) = first_line(&self.path)? else { return Ok(()) };
        let slot = Slot(self.slots);
        self.slots += 1;
        let end = i64::try_from(file.metadata()?.len()).unwrap_or(i64::MAX);
        let resume =
            sink.assigned(slot, &self.origin, &Found { committed: None, first: 0, end, life: Some(life) });
        let position = u64::try_from(resume.position).unwrap_or(0);
        file.seek(SeekFrom::Start(position))?;
        let lines = BufReader::with_capacity(1 << 16, file);
        self.open = Some(Open { lines, life, slot, position, torn: Vec::new(), caught_up: false });
        Ok(())
    }

    /// What became of the file being read.
    fn fate(&self, open: &Open) -> io::Result<Fate> {
        // Between a rotation and the first line of the new file there is nothing to go on with.
        let Some((file, life)) = first_line(&self.path)? else { return Ok(Fate::Same) };
        let (named, read) = (file.metadata()?, open.lines.get_ref().metadata()?);
        let same = (named.dev(), named.ino()) == (read.dev(), read.ino());
        Ok(match same {
            true if life != open.life || named.len() < open.position => Fate::Emptied,
            true => Fate::Same,
            false => Fate::Rotated,
        })
    }

    fn read(&mut self, sink: &mut dyn Sink) -> io::Result<usize> {
        if self.open.is_none() {
            self.begin(sink)?;
        }
        let Some(mut open) = self.open.take() else { return Ok(0) };
        // Asked before reading: what is read after a rotation is all that the old file has.
        let fate = self.fate(&open)?;
        let count = if fate == Fate::Emptied { 0 } else { open.hand_over(sink)? };
        if fate == Fate::Same || count == MOST {
            open.tell(count < MOST, sink);
            self.open = Some(open);
        } else {
            open.finish(sink);
        }
        Ok(count)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Same,
    /// The path names another file.
    Rotated,
    /// It was cut and perhaps filled anew: what lies at our position now is not what follows.
    Emptied,
}

impl Open {
    /// Whole lines, as many as one poll may give.
    fn hand_over(&mut self, sink: &mut dyn Sink) -> io::Result<usize> {
        let mut count = 0;
        while count < MOST && self.line()? {
            let line = std::mem::take(&mut self.torn);
            // An empty line is no event; its position goes by with the next one.
            if !line.trim_ascii().is_empty() {
                sink.event(self.slot, self.position as i64 - 1, 0, &line);
                count += 1;
            }
        }
        Ok(count)
    }

    /// Reads on in the current line; whether its end came.
    fn line(&mut self) -> io::Result<bool> {
        loop {
            let bytes = self.lines.fill_buf()?;
            if bytes.is_empty() {
                return Ok(false);
            }
            let end = bytes.iter().position(|byte| *byte == b'\n');
            let part = &bytes[..end.unwrap_or(bytes.len())];
            let room = KEPT.saturating_sub(self.torn.len());
            self.torn.extend_from_slice(&part[..part.len().min(room)]);
            let used = part.len() + usize::from(end.is_some());
            self.lines.consume(used);
            self.position += used as u64;
            if end.is_some() {
                return Ok(true);
            }
        }
    }

    /// The file will not grow any more: a torn line is all that there will be of it.
    fn finish(&mut self, sink: &mut dyn Sink) {
        if !self.torn.trim_ascii().is_empty() {
            sink.event(self.slot, self.position as i64 - 1, 0, &self.torn);
        }
        sink.revoked(self.slot);
    }

    fn tell(&mut self, caught_up: bool, sink: &mut dyn Sink) {
        if std::mem::replace(&mut self.caught_up, caught_up) != caught_up {
            sink.caught_up(self.slot, caught_up);
        }
    }
}

/// The file and the hash of its first line; `None` while it is missing or that line has no end.
fn first_line(path: &Path) -> io::Result<Option<(File, u64)>> {
    let file = match File::open(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    let mut line = Vec::new();
    let mut reader = BufReader::with_capacity(1 << 10, &file).take(KEPT as u64);
    reader.read_until(b'\n', &mut line)?;
    if line.last() != Some(&b'\n') && line.len() < KEPT {
        return Ok(None);
    }
    Ok(Some((file, crate::model::units::hash64(&String::from_utf8_lossy(&line)))))
}

impl Source for FileSource {
    fn poll(&mut self, wait: Duration, sink: &mut dyn Sink) -> Result<usize, SourceError> {
        let count =
            self.read(sink).map_err(|e| SourceError::Retry(format!("{}: {e}", self.path.display())))?;
        if count == 0 {
            std::thread::park_timeout(wait);
        }
        Ok(count)
    }

    /// Positions are read from the log.
    fn commit(&mut self, _: Slot, _: Resume) {}

    /// A file has one partition, which is nobody's slowest.
    fn hold(&mut self, _: Slot, _: bool) {}

    fn seek(&mut self, slot: Slot, position: i64) -> Result<(), SourceError> {
        let Some(open) = self.open.as_mut().filter(|open| open.slot == slot) else { return Ok(()) };
        open.position = u64::try_from(position).unwrap_or(0);
        open.torn.clear();
        let sought = open.lines.seek(SeekFrom::Start(open.position));
        sought.map(|_| ()).map_err(|e| SourceError::Retry(e.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    /// What was handed over: events with positions, the lives that began, and the last word on being caught up.
    #[derive(Default)]
    struct Notebook {
        events: Vec<(i64, String)>,
        lives: Vec<Resume>,
        in_facts: Option<Resume>,
        caught_up: bool,
    }

    impl Sink for Notebook {
        fn assigned(&mut self, _: Slot, _: &Origin, found: &Found) -> Resume {
            let resume = found.resume(self.in_facts);
            self.lives.push(resume);
            resume
        }
        fn event(&mut self, _: Slot, position: i64, _: i64, payload: &[u8]) {
            self.events.push((position, String::from_utf8_lossy(payload).into_owned()));
        }
        fn caught_up(&mut self, _: Slot, caught_up: bool) {
            self.caught_up = caught_up;
        }
        fn lost(&mut self, _: Slot, _: i64, _: i64) {}
        fn revoked(&mut self, _: Slot) {}
    }

    struct Case {
        _directory: tempfile::TempDir,
        path: PathBuf,
        source: FileSource,
        notebook: Notebook,
    }

    impl Case {
        fn new() -> Case {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("events.ndjson");
            let source = FileSource::follow(&path, origin());
            Case { _directory: directory, path, source, notebook: Notebook::default() }
        }

        fn append(&self, text: &str) {
            let mut file = File::options().append(true).create(true).open(&self.path).unwrap();
            file.write_all(text.as_bytes()).unwrap();
        }

        /// Polls until nothing more comes; gives the new events.
        #[track_caller]
        fn check(&mut self, expected: &[(i64, &str)]) {
            self.notebook.events.clear();
            for _ in 0..3 {
                self.source.poll(Duration::ZERO, &mut self.notebook).unwrap();
            }
            let events: Vec<_> = self.notebook.events.iter().map(|(at, text)| (*at, &**text)).collect();
            assert_eq!(events, expected);
        }
    }

    fn origin() -> Origin {
        Origin { topic: "$file".into(), partition: 0 }
    }

    #[test]
    fn whole_lines_come_and_a_torn_one_waits() {
        let mut case = Case::new();
        case.check(&[]);
        case.append("one\n\ntwo\nthr");
        case.check(&[(3, "one"), (8, "two")]);
        assert!(case.notebook.caught_up);
        case.append("ee");
        case.check(&[]);
        case.append("\r\nfour\n");
        case.check(&[(15, "three\r"), (20, "four")]);
    }

    #[test]
    fn reading_goes_on_where_the_log_stands() {
        let mut case = Case::new();
        case.append("one\ntwo\n");
        case.check(&[(3, "one"), (7, "two")]);
        let life = case.notebook.lives[0].incarnation;
        case.source = FileSource::follow(&case.path, origin());
        case.notebook.in_facts = Some(Resume { incarnation: life, position: 4 });
        case.check(&[(7, "two")]);
        case.source = FileSource::follow(&case.path, origin());
        case.notebook.in_facts = Some(Resume { incarnation: life + 1, position: 4 });
        case.check(&[(3, "one"), (7, "two")]);
    }

    #[test]
    fn a_rotated_file_is_read_to_its_end_and_the_new_one_from_its_beginning() {
        let mut case = Case::new();
        case.append("one\n");
        case.check(&[(3, "one")]);
        case.append("two\ntorn");
        std::fs::rename(&case.path, case.path.with_extension("1")).unwrap();
        case.check(&[(7, "two")]);
        case.append("new\n");
        case.check(&[(11, "torn"), (3, "new")]);
        assert_eq!(case.notebook.lives.len(), 2);
        assert_ne!(case.notebook.lives[0].incarnation, case.notebook.lives[1].incarnation);
        case.append("more\nlast");
        std::fs::rename(&case.path, case.path.with_extension("2")).unwrap();
        case.append("newer\n");
        case.check(&[(8, "more"), (12, "last"), (5, "newer")]);
    }

    #[test]
    fn an_emptied_file_is_a_new_one() {
        let mut case = Case::new();
        case.append("one\ntwo\n");
        case.check(&[(3, "one"), (7, "two")]);
        std::fs::write(&case.path, "uno\n").unwrap();
        case.check(&[(3, "uno")]);
        std::fs::write(&case.path, "eins\nzwei\n").unwrap();
        case.check(&[(4, "eins"), (9, "zwei")]);
    }

    #[test]
    fn an_endless_line_takes_no_more_memory_than_a_refusal_needs() {
        let mut case = Case::new();
        case.append(&format!("{}\nshort\n", "x".repeat(3 * KEPT)));
        case.source.poll(Duration::ZERO, &mut case.notebook).unwrap();
        let lengths: Vec<_> = case.notebook.events.iter().map(|(_, text)| text.len()).collect();
        assert_eq!(lengths, [KEPT, 5]);
    }
}
