package io.holdfast.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import picocli.CommandLine.Help;
import picocli.CommandLine.Help.Ansi;

/** Where a command writes: colours for a terminal, plain text for everything else. */
final class Output {
    private static final List<String> TERMINALS =
            List.of("/dev/pts/", "/dev/tty", "/dev/console", "/dev/hvc");

    private static final int FIELD_WIDTH = 12;

    private final PrintStream out;
    private final PrintStream err;
    private final boolean colours;
    private final boolean terminal;

    /**
     * @param colours whether {@code out} and {@code err} take escape sequences
     * @param terminal whether somebody sits in front of {@code out}
     */
    Output(PrintStream out, PrintStream err, boolean colours, boolean terminal) {
        this.out = out;
        this.err = err;
        this.colours = colours;
        this.terminal = terminal;
    }

    /** Standard output and standard error, in colours if both are terminals and nobody minds. */
    static Output standard() {
        return new Output(
                System.out,
                System.err,
                coloursWanted(System.getenv(), Output::target),
                isTerminal(target(1)));
    }

    /**
     * Colours are for terminals that have not been told otherwise (NO_COLOR, see no-color.org;
     * TERM=dumb).
     *
     * @param target names what a descriptor of this process leads to
     */
    static boolean coloursWanted(
            Map<String, String> environment, Function<Integer, String> target) {
        return environment.getOrDefault("NO_COLOR", "").isEmpty()
                && !environment.getOrDefault("TERM", "dumb").equals("dumb")
                && isTerminal(target.apply(1))
                && isTerminal(target.apply(2));
    }

    /** What the link in /proc says: an isatty() would bind native code before it is needed. */
    private static String target(int descriptor) {
        try {
            return Files.readSymbolicLink(Path.of("/proc/self/fd/" + descriptor)).toString();
        } catch (IOException e) {
            return "";
        }
    }

    private static boolean isTerminal(String target) {
        return TERMINALS.stream().anyMatch(target::startsWith);
    }

    PrintStream out() {
        return out;
    }

    void line(String text) {
        out.println(text);
    }

    /** Whether somebody sits in front of {@link #out}. */
    boolean isTerminal() {
        return terminal;
    }

    /** What something is, in a column of its own. */
    void field(String label, String value) {
        line(faint(label + " ".repeat(Math.max(1, FIELD_WIDTH - label.length()))) + plain(value));
    }

    /** A text of others, without what a terminal would take for an order. */
    static String plain(String text) {
        StringBuilder plain = new StringBuilder(text);
        for (int i = 0; i < plain.length(); i++) {
            if (Character.isISOControl(plain.charAt(i)) && plain.charAt(i) != '\t') {
                plain.setCharAt(i, '?');
            }
        }
        return plain.toString();
    }

    /** One line to standard error, from the program itself. */
    void complain(String text) {
        err.println(style("holdfast:", "31") + " " + text);
    }

    PrintStream err() {
        return err;
    }

    String strong(String text) {
        return style(text, "1");
    }

    String faint(String text) {
        return style(text, "2");
    }

    String good(String text) {
        return style(text, "32");
    }

    String warning(String text) {
        return style(text, "33");
    }

    String bad(String text) {
        return style(text, "31");
    }

    Help.ColorScheme helpColours() {
        return Help.defaultColorScheme(colours ? Ansi.ON : Ansi.OFF);
    }

    String style(String text, String code) {
        return colours ? "\u001b[" + code + "m" + text + "\u001b[0m" : text;
    }
}
