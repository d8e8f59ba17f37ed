package io.holdfast.man;

import io.holdfast.cli.Holdfast;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;

/**
 * Writes a manual page for the program and for each of its commands, and the tables that the pages
 * of section 7 include.
 */
final class ManualPages {
    private ManualPages() {}

    /**
     * Writes all files.
     *
     * @param arguments the folder to write to, and the version of the program
     */
    public static void main(String[] arguments) throws IOException {
        Path folder = Files.createDirectories(Path.of(arguments[0]));
        CommandLine program = Holdfast.grammar();
        List<CommandSpec> specs = new ArrayList<>();
        program.getSubcommands().values().forEach(each -> specs.add(each.getCommandSpec()));
        specs.addFirst(program.getCommandSpec()); // first: it lists the headers of the others
        for (CommandSpec spec : specs) {
            CommandPage page = new CommandPage(spec, arguments[1]);
            Files.writeString(folder.resolve(page.name() + ".adoc"), page.text());
        }
        Files.writeString(folder.resolve("_daemon-limits.adoc"), LimitTables.ofDaemons());
        Files.writeString(folder.resolve("_bus-limits.adoc"), LimitTables.ofBus());
    }
}
