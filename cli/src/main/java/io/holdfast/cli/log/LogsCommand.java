package io.holdfast.cli.log;

import io.holdfast.cli.command.Command;
import io.holdfast.cli.command.CommandException;
import io.holdfast.cli.command.ExitCode;
import io.holdfast.cli.command.Grammar;
import io.holdfast.cli.command.Pager;
import io.holdfast.cli.log.forward.Forwarding;
import io.holdfast.cli.output.Output;
import io.holdfast.cli.up.UnitMessages;
import io.holdfast.core.Errno;
import io.holdfast.core.file.FileException;
import io.holdfast.journal.Entry;
import io.holdfast.journal.JournalException;
import io.holdfast.journal.JournalReader;
import io.holdfast.manager.ManagerOptions;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;

/** Prints log messages, and follows them. */
public final class LogsCommand implements Command {
    private static final int LAST = 10; // lines before a log that is followed
    private static final String RUNTIME_DIR = "--runtime-dir";
    private static final Duration LOOK = Duration.ofSeconds(1);
    private static final int LOOK_AFTER = 512; // entries

    @Override
    public CommandSpec spec() {
        return Grammar.of(this, "Print what units have logged.")
                .description(
                        "%nReads the journal files of your manager and of this machine, those of"
                                + " holdfast journal and of systemd-journald. A user who may not read them all sees the"
                                + " user's own messages.%n")
                .footer(
                        "%nExamples:",
                        "  holdfast logs nginx -n 20",
                        "  holdfast logs nginx postgresql --since today --priority err",
                        "  holdfast logs -f --grep refused",
                        "  holdfast logs --output json --directory /mnt/var/log/journal",
                        "  holdfast logs --field _SYSTEMD_UNIT",
                        "  holdfast logs --forward https://otel.example/v1/logs --cursor-file"
                                + " /var/lib/forward/cursor")
                .arguments(
                        "UNIT",
                        "0..*",
                        String.class,
                        "Print only messages of these units, or about them.")
                .flag("-f --follow", "Wait for further messages, and print them too.")
                .option(
                        "-n --lines NUMBER",
                        Integer.class,
                        "Print the last messages only (default: all; with --follow 10).")
                .flag("-r --reverse", "Print the newest message first.")
                .option(
                        "-p --priority LEVEL",
                        "Print messages of this level (emerg, alert, crit, err, warning, notice,"
                                + " info, debug, or 0 to 7) and more severe ones, or of the levels"
                                + " FROM..TO.")
                .option(
                        "--since TIME",
                        "Print messages from then on: \"2026-12-01 12:00\", yesterday, -1h, @SECONDS.")
                .option("--until TIME", "Print messages until then.")
                .optionalValue(
                        "-b --boot BOOT",
                        "",
                        "Print messages of one boot: 0 is this one (default), -1 the one before, or"
                                + " its id.")
                .option("--invocation ID", "Print messages of one run of a unit.")
                .option("-g --grep REGEX", "Print messages that contain this.")
                .option(
                        "--identity PID:ID",
                        "Print messages of one process, by the id of its pidfd, as holdfast info"
                                + " prints it.")
                .option("-F --field NAME", "Print the values of a field instead, each once.")
                .option("-o --output FORMAT", LogFormat.words(), "Print in this format.")
                .options(
                        "-D --directory FOLDER",
                        String.class,
                        "Read the files in this folder; may be given several times.")
                .option(
                        RUNTIME_DIR + " DIR",
                        Path.class,
                        "Read the files of the manager with this folder of sockets only.")
                .flag(
                        "--no-pager",
                        "Print to the terminal directly (default: through $$SYSTEMD_PAGER, $$PAGER or"
                                + " less(1), without --follow).")
                .with(Forwarding::options)
                .spec();
    }

    @Override
    public int run(ParseResult line, Output output) throws Exception {
        LogFormat format = format(line);
        try (JournalReader reader = open(line)) {
            LogQuery query = LogQuery.of(line, reader);
            sayWhatIsMissing(reader, query, output);
            reader.filter(query.match());
            if (Forwarding.isWanted(line)) {
                seekStart(reader, query);
                Forwarding.run(line, reader, query::accepts, output);
                return ExitCode.OK;
            }
            boolean isPaged = !line.hasMatchedOption("--no-pager") && !follows(line);
            try (Pager pager = Pager.start(output, isPaged)) {
                Output shown = pager.output();
                if (line.hasMatchedOption("--field")) {
                    String field = line.matchedOptionValue("--field", "");
                    reader.uniqueValues(field, value -> shown.line(value.text()));
                    return ExitCode.OK;
                }
                try (LogFormat.Printer printer = format.printer(shown)) {
                    print(line, reader, query, printer, shown);
                }
            }
            reader.problems().stream()
                    .filter(problem -> !isDenied(problem))
                    .forEach(problem -> output.warn(String.valueOf(problem.getMessage())));
            return ExitCode.OK;
        } catch (IOException e) {
            throw new CommandException(CommandException.reason(e), e);
        }
    }

    /** Says which messages are not printed though somebody might expect them. */
    private static void sayWhatIsMissing(JournalReader reader, LogQuery query, Output output) {
        List<JournalException> denied =
                reader.problems().stream().filter(LogsCommand::isDenied).toList();
        if (!denied.isEmpty()) {
            int more = denied.size() - 1;
            output.warn(
                    denied.getFirst().getMessage()
                            + (more == 0 ? "" : "; " + more + " more files likewise")
                            + "; only root and members of the groups adm and systemd-journal may"
                            + " read the messages of others: usermod -aG systemd-journal USER");
        }
        for (String unit : query.units()) {
            reader.filter(UnitMessages.of(unit));
            reader.seekTail();
            if (reader.previous() == null) {
                output.warn(
                        unit
                                + ": there is no message of such a unit; to list those that have"
                                + " logged run: holdfast logs --field _SYSTEMD_UNIT");
            }
        }
        reader.seekHead();
    }

    private static boolean isDenied(JournalException problem) {
        return (problem.getCause() instanceof FileException file && file.errno() == Errno.EACCES)
                || problem.getCause() instanceof AccessDeniedException;
    }

    private static LogFormat format(ParseResult line) {
        String word = line.matchedOptionValue("--output", "short");
        if (!LogFormat.words().contains(word)) {
            throw Command.misuse(
                    line,
                    "no format: " + word + "; there are " + String.join(", ", LogFormat.words()));
        }
        return LogFormat.valueOf(word.toUpperCase(Locale.ROOT).replace('-', '_'));
    }

    private static JournalReader open(ParseResult line) throws IOException {
        List<String> folders = line.matchedOptionValue("--directory", List.of());
        if (folders.isEmpty()) {
            return openUsual(line.matchedOptionValue(RUNTIME_DIR, null));
        }
        for (String folder : folders) {
            if (!Files.isDirectory(Path.of(folder))) {
                throw new CommandException(folder + ": there is no such folder");
            }
        }
        return JournalReader.openFolders(folders.stream().map(Path::of).toList());
    }

    /** Opens the files of one manager, or of the caller's manager and of the machine. */
    private static JournalReader openUsual(@Nullable Path runtime) throws IOException {
        if (runtime != null) {
            return JournalReader.openFolders(List.of(runtime.resolve("log")));
        }
        ManagerOptions own =
                System.getProperty("user.name").equals("root")
                        ? ManagerOptions.system(System.getenv())
                        : ManagerOptions.user(System.getenv());
        List<Path> folders = new ArrayList<>(JournalReader.systemFolders());
        folders.add(own.runtimeDirectory().resolve("log"));
        return JournalReader.openFolders(folders);
    }

    private static void print(
            ParseResult line,
            JournalReader reader,
            LogQuery query,
            LogFormat.Printer printer,
            Output output)
            throws IOException, InterruptedException {
        boolean follows = follows(line);
        Integer lines = line.matchedOptionValue("--lines", null);
        if (lines != null && lines < 0) {
            throw Command.misuse(line, "--lines: a number from 0 on");
        }
        if (lines == null && follows) {
            lines = LAST;
        }
        if (line.hasMatchedOption("--reverse")) {
            if (follows) {
                throw Command.misuse(line, "--reverse and --follow exclude each other");
            }
            printBackwards(reader, query, lines, printer, output);
            return;
        }
        seek(reader, query, lines);
        long count = 0;
        for (Entry entry = reader.next(); entry != null; entry = reader.next()) {
            if (isAfter(entry, query) || isLeft(++count, printer, output)) {
                return;
            }
            if (query.accepts(entry)) {
                printer.print(entry);
            }
        }
        while (follows && !output.hasFailed()) {
            printer.flush();
            output.flush();
            Entry entry = reader.next(LOOK);
            if (entry != null && query.accepts(entry)) {
                printer.print(entry);
            }
        }
    }

    private static boolean follows(ParseResult line) {
        return line.hasMatchedOption("--follow");
    }

    /** Looks now and then whether the reader of the output has ended, as head(1) does. */
    private static boolean isLeft(long count, LogFormat.Printer printer, Output output)
            throws IOException {
        if (count % LOOK_AFTER != 0) {
            return false;
        }
        printer.flush();
        return output.hasFailed();
    }

    private static boolean isAfter(Entry entry, LogQuery query) {
        return query.until().isPresent() && entry.realtime().isAfter(query.until().get());
    }

    /** Moves before the first entry that is wanted. */
    private static void seek(JournalReader reader, LogQuery query, @Nullable Integer lines) {
        if (lines == null) {
            seekStart(reader, query);
            return;
        }
        Deque<Entry> last = new ArrayDeque<>();
        seekEnd(reader, query);
        Instant since = query.since().orElse(Instant.MIN);
        while (last.size() < lines) {
            Entry entry = reader.previous();
            if (entry == null || entry.realtime().isBefore(since)) {
                break;
            }
            if (query.accepts(entry)) {
                last.addFirst(entry);
            }
        }
        if (last.isEmpty()) {
            seekEnd(reader, query);
        } else {
            reader.seek(last.getFirst().cursor());
        }
    }

    private static void seekStart(JournalReader reader, LogQuery query) {
        query.since().ifPresentOrElse(reader::seekRealtime, reader::seekHead);
    }

    private static void seekEnd(JournalReader reader, LogQuery query) {
        query.until()
                .ifPresentOrElse(
                        until -> reader.seekRealtime(until.plusNanos(1000)), reader::seekTail);
    }

    private static void printBackwards(
            JournalReader reader,
            LogQuery query,
            @Nullable Integer lines,
            LogFormat.Printer printer,
            Output output)
            throws IOException {
        seekEnd(reader, query);
        Instant since = query.since().orElse(Instant.MIN);
        int left = lines == null ? Integer.MAX_VALUE : lines;
        for (long count = 1; left > 0; count++) {
            Entry entry = reader.previous();
            if (entry == null
                    || entry.realtime().isBefore(since)
                    || isLeft(count, printer, output)) {
                return;
            }
            if (query.accepts(entry)) {
                printer.print(entry);
                left--;
            }
        }
    }
}
