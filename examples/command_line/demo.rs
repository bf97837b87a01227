//! The commands as an operator types them, each in a process of its own.

use std::{
    error::Error,
    fs,
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

type Outcome = Result<(), Box<dyn Error>>;

pub fn run() -> Outcome {
    println!("1. Is this file good? The service does not run for that.");
    fs::write("new.yaml", "visitors: 20000\npasword: x\n")?;
    config(&["check", "new.yaml", "--only-given"])?;
    config(&["check", "new.yaml", "--only-given", "--format", "github"])?;

    println!("\n2. What runs, and which layer set it?");
    config(&["show", "--origins"])?;
    config(&["explain", "visitors"])?;

    println!("\n3. What would this file change in the process that runs, and would it be taken?");
    fs::write(
        "new.yaml",
        "visitors: 5000\naddress: 0.0.0.0:80\npassword: correct-horse\n",
    )?;
    config(&["plan", "new.yaml"])?;

    println!("\n4. What happens, as it happens:");
    let mut watch = command(&["watch", "--changes", "2"])
        .stdout(Stdio::piped())
        .spawn()?;
    let lines = watch.stdout.take().ok_or("no output")?;
    let mut lines = BufReader::new(lines).lines();
    println!("{}", lines.next().ok_or("nothing")??);
    fs::write("app.yaml", "visitors: 300\npassword: correct-horse\n")?;
    for line in lines {
        println!("{}", line?);
    }
    watch.wait()?;
    Ok(())
}

fn command(words: &[&str]) -> Command {
    println!("\n$ app config {}", words.join(" "));
    let program = std::env::current_exe().unwrap_or_else(|_| "command_line".into());
    let mut command = Command::new(program);
    command.arg("config").args(words);
    // The demonstration has a folder of its own.
    command.env_remove("EXAMPLE_FOLDER");
    command
}

/// Runs a command and prints what it prints, and its code.
fn config(words: &[&str]) -> Outcome {
    let done = command(words).output()?;
    for text in [&done.stdout, &done.stderr] {
        for line in String::from_utf8_lossy(text).lines() {
            println!("{line}");
        }
    }
    println!("code {}", done.status.code().unwrap_or(-1));
    Ok(())
}
