package io.holdfast.manager.runtime;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * The lines of a Javadoc that show chains of states, {@code a, b ─▶ c ─▶ d}: each state of a link
 * may be followed by each state of the next link.
 */
public final class StateDiagram {
    private static final String ARROW = "─▶";
    private static final int TITLE = " *   start       ".length();

    private final List<List<List<String>>> chains = new ArrayList<>();

    private StateDiagram() {}

    /** Reads the diagram in a source file. */
    public static StateDiagram of(Path source) throws IOException {
        StateDiagram diagram = new StateDiagram();
        for (String line : Files.readAllLines(source)) {
            if (line.startsWith(" *") && line.contains(ARROW)) {
                List<List<String>> chain = new ArrayList<>();
                for (String link : line.substring(TITLE).split(ARROW)) {
                    chain.add(List.of(link.strip().split(",\\s*")));
                }
                diagram.chains.add(chain);
            }
        }
        return diagram;
    }

    private static <S extends Enum<S>> S state(Class<S> states, String word) {
        return Enum.valueOf(states, word.toUpperCase(Locale.ROOT).replace('-', '_'));
    }

    /** Returns all states that the diagram shows. */
    public <S extends Enum<S>> Set<S> states(Class<S> states) {
        Set<S> shown = new LinkedHashSet<>();
        chains.forEach(chain ->
                chain.forEach(link -> link.forEach(word -> shown.add(state(states, word)))));
        return shown;
    }

    /** Returns the transitions that the diagram shows and the table does not have. */
    public <S extends Enum<S>> List<String> notIn(Class<S> states, StateTable<S> table) {
        List<String> wrong = new ArrayList<>();
        for (List<List<String>> chain : chains) {
            for (int i = 1; i < chain.size(); i++) {
                for (String from : chain.get(i - 1)) {
                    for (String to : chain.get(i)) {
                        if (!table.after(state(states, from)).contains(state(states, to))) {
                            wrong.add(from + " " + ARROW + " " + to);
                        }
                    }
                }
            }
        }
        return wrong;
    }
}
