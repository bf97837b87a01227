//! A process of [`capacitors`](super::capacitors), asked by lines.

use std::{
    env,
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

pub(super) struct Capacitors {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Capacitors {
    /// Starts the process. The first answer says how many bytes of memory its capacitors took, and in how many microseconds they
    /// were started.
    pub(super) fn start(uri: &str, count: usize) -> Self {
        let mut child = Command::new(env::current_exe().expect("this program"))
            .args(["--capacitors", uri, &count.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this program again");
        let input = child.stdin.take();
        let output = child.stdout.take().expect("its output");
        Capacitors {
            child,
            input,
            output: BufReader::new(output),
        }
    }

    /// Asks for something, and waits until it is being looked for.
    pub(super) fn ask(&mut self, what: &str) {
        let input = self.input.as_mut().expect("its input");
        writeln!(input, "{what}").expect("it listens");
        assert!(self.answer().is_empty());
    }

    /// The numbers of the next answer.
    pub(super) fn answer(&mut self) -> Vec<u64> {
        let mut line = String::new();
        let length = self.output.read_line(&mut line).expect("an answer");
        assert!(length > 0, "the process of the capacitors has ended");
        let numbers = line.split_whitespace().map(|word| word.parse());
        numbers.collect::<Result<_, _>>().expect("numbers")
    }
}

impl Drop for Capacitors {
    /// It ends with its input.
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.wait();
    }
}
