package io.holdfast.cli.process;

import io.holdfast.cli.command.Command;
import io.holdfast.cli.command.CommandException;
import io.holdfast.cli.command.ExitCode;
import io.holdfast.cli.command.ExitJson;
import io.holdfast.cli.command.Grammar;
import io.holdfast.cli.command.ProcessArgument;
import io.holdfast.cli.output.JsonText;
import io.holdfast.cli.output.Output;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.EventLoop;
import io.holdfast.core.Feature;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.ProcessId;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;

/** Waits for processes, which need not be children of this one, and prints how they ended. */
public final class WatchCommand implements Command {
    @Override
    public CommandSpec spec() {
        return Grammar.of(this, "Wait until processes of any user end, and print how they ended.")
                .footer(
                        "%nExit code: the exit code of the process, or 128 plus the number of the"
                                + " signal that killed it; of several processes, the first code in"
                                + " command line order that is not 0; 125 if the exit status is"
                                + " unknown or there was no process to watch.",
                        "%nThe kernel reports the exit status when the parent has reaped the"
                                + " process. watch waits up to one second for that, then reads the"
                                + " status of the zombie from /proc, if permitted. Before Linux"
                                + " 6.15, once a process is reaped, only the exit status of"
                                + " holdfast's own children is known.",
                        "%nExamples:",
                        "  holdfast watch 4711",
                        "  holdfast watch $$(pgrep -x backup) && echo all is well",
                        "  holdfast watch --json 4711 4712 | jq .exit")
                .json("Print one JSON object per process, when it ends.")
                .arguments(ProcessArgument.LABEL, "1..*", String.class, ProcessArgument.DESCRIPTION)
                .spec();
    }

    /** A process to wait for, and its identity, which is known even if the process is gone. */
    private record Watched(PidFd process, ProcessId name) {
        static Watched of(String text, ParseResult line) {
            PidFd process = ProcessArgument.open(text, line);
            return new Watched(
                    process,
                    ProcessIdentity.readIfPermitted(process::processId)
                            .orElseGet(() -> nameOfGone(process, ProcessId.parse(text))));
        }

        /**
         * Returns the identity of a reaped process, which has no PID any more, but keeps its pidfs
         * id.
         */
        private static ProcessId nameOfGone(PidFd process, ProcessId named) {
            return Feature.PIDFS.isPresent()
                    ? new ProcessId(
                            named.pid(),
                            OptionalLong.of(process.id()),
                            Optional.of(ProcessId.currentBoot()))
                    : named;
        }
    }

    @Override
    public int run(ParseResult line, Output output) {
        boolean json = line.hasMatchedOption("--json");
        List<Watched> all = new ArrayList<>();
        try (EventLoop loop = EventLoop.open()) {
            for (String text : line.matchedPositionalValue(0, List.<String>of())) {
                all.add(Watched.of(text, line));
            }
            return watch(all, json, loop, output);
        } catch (CommandException | ErrnoException e) {
            throw new CommandException(String.valueOf(e.getMessage()), ExitCode.HOLDFAST_FAILED, e);
        } finally {
            all.forEach(watched -> watched.process.close());
        }
    }

    private static int watch(List<Watched> all, boolean json, EventLoop loop, Output output) {
        Exit[] exits = new Exit[all.size()];
        int[] running = {exits.length};
        for (int i = 0; i < exits.length; i++) {
            int index = i;
            Watched watched = all.get(i);
            var _ =
                    watched.process.onExit(
                            loop,
                            exit -> {
                                exits[index] = exit;
                                output.line(
                                        json
                                                ? json(watched, exit)
                                                : watched.name.inThisBoot() + " " + exit);
                                if (--running[0] == 0) {
                                    loop.stop();
                                }
                            });
        }
        loop.run();
        for (Exit exit : exits) {
            if (!exit.isSuccess()) {
                return ExitJson.code(exit);
            }
        }
        return ExitCode.OK;
    }

    private static String json(Watched watched, Exit exit) {
        return JsonText.object()
                .put("process", watched.name.toString())
                .put("pid", watched.name.pid())
                .put("exit", ExitJson.json(exit))
                .toString();
    }
}
