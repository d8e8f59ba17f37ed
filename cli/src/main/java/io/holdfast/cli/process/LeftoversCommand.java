package io.holdfast.cli.process;

import io.holdfast.cli.command.Command;
import io.holdfast.cli.command.ExitCode;
import io.holdfast.cli.command.Grammar;
import io.holdfast.cli.output.JsonText;
import io.holdfast.cli.output.Output;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.CgroupPath;
import io.holdfast.core.scope.LeftoverScope;
import io.holdfast.core.scope.ProcessScope;
import io.holdfast.core.scope.ProcessesLeftException;
import java.util.List;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;

/** Lists the process scopes whose program has died, and ends them on request. */
public final class LeftoversCommand implements Command {
    private static final String END = "--end";

    @Override
    public CommandSpec spec() {
        return Grammar.of(this, "List the process scopes of programs that have died, and end them.")
                .description(
                        "%nA program that uses ProcessScope, or holdfast run without a cgroup, ends"
                                + " its processes when it ends. If it was killed by SIGKILL, they"
                                + " continue. This command finds them: for root those of all users,"
                                + " otherwise those of the user. A scope is listed only if its"
                                + " program is certainly dead.%n")
                .footer("%nExamples:", "  holdfast leftovers", "  holdfast leftovers --end")
                .flag(END, "Kill the processes of these scopes, and wait for that.")
                .json("Print one JSON object per scope.")
                .spec();
    }

    @Override
    public int run(ParseResult line, Output output) {
        boolean json = line.hasMatchedOption("--json");
        List<LeftoverScope> scopes = ProcessScope.leftovers();
        if (scopes.isEmpty() && !json) {
            output.line("no scope of a dead program is left");
        }
        int code = ExitCode.OK;
        for (LeftoverScope scope : scopes) {
            if (json) {
                output.line(json(scope));
            } else {
                print(scope, output);
            }
            if (line.hasMatchedOption(END)) {
                try {
                    scope.kill();
                } catch (ErrnoException | ProcessesLeftException e) {
                    output.complain("cannot end " + scope + ": " + e.getMessage());
                    code = ExitCode.FAILURE;
                }
            }
        }
        return code;
    }

    private static void print(LeftoverScope scope, Output output) {
        int count = scope.processes();
        output.line(
                output.strong(scope.toString()),
                count == 1 ? ": 1 process" : ": " + count + " processes",
                scope.cgroup().map(path -> " in " + path.path()).orElse(" without a cgroup"));
    }

    private static JsonText json(LeftoverScope scope) {
        return JsonText.object()
                .put("name", scope.name())
                .put("jvm", scope.jvm().toString())
                .put("processes", scope.processes())
                .put("cgroup", scope.cgroup().map(CgroupPath::path));
    }
}
