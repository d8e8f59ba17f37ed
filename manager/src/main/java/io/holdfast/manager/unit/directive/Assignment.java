package io.holdfast.manager.unit.directive;

import io.holdfast.core.Signal;
import io.holdfast.manager.unit.Diagnostic;
import io.holdfast.manager.unit.Diagnostics;
import io.holdfast.manager.unit.DirectiveCost;
import io.holdfast.manager.unit.UnitFilePlace;
import io.holdfast.manager.unit.file.UnitFile;
import io.holdfast.manager.unit.host.Specifiers;
import io.holdfast.manager.unit.value.ExecCommand;
import io.holdfast.manager.unit.value.ExitStatusSet;
import io.holdfast.manager.unit.value.Scalars;
import io.holdfast.manager.unit.value.TimeSpan;
import io.holdfast.manager.unit.value.WordReader;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * One {@code key=value} that is read into a typed field. Each reading method takes the present
 * value of the field and returns the next one: if the assignment is invalid, it reports a
 * diagnostic and returns the present value.
 */
public final class Assignment {
    private final UnitFile.Entry entry;
    private final Specifiers specifiers;
    private final Diagnostics diagnostics;
    private boolean actedOn = true;

    public Assignment(UnitFile.Entry entry, Specifiers specifiers, Diagnostics diagnostics) {
        this.entry = entry;
        this.specifiers = specifiers;
        this.diagnostics = diagnostics;
    }

    public String key() {
        return entry.key();
    }

    public String value() {
        return entry.value();
    }

    public UnitFilePlace place() {
        return entry.place();
    }

    public Specifiers specifiers() {
        return specifiers;
    }

    public boolean isEmpty() {
        return entry.value().isEmpty();
    }

    /** Reads a value as written. */
    public <T> T value(T before, Function<String, ? extends T> parser) {
        try {
            return parser.apply(value());
        } catch (IllegalArgumentException e) {
            ignored(String.valueOf(e.getMessage()));
            return before;
        }
    }

    /** Reads a value with its specifiers expanded; an empty assignment removes it. */
    public <T> Optional<T> optional(Optional<T> before, Function<String, ? extends T> parser) {
        return isEmpty()
                ? Optional.empty()
                : value(before, text -> Optional.of(parser.apply(specifiers.expand(text))));
    }

    /**
     * Reads a value as {@link #optional} does. One that cannot be parsed refuses the unit, which
     * must not run without it.
     */
    public <T> Optional<T> essential(Optional<T> before, Function<String, ? extends T> parser) {
        if (isEmpty()) {
            return Optional.empty();
        }
        try {
            return Optional.of(parser.apply(specifiers.expand(value())));
        } catch (IllegalArgumentException e) {
            refused(String.valueOf(e.getMessage()));
            return before;
        }
    }

    public Optional<String> text(Optional<String> before) {
        return optional(before, text -> text);
    }

    public Optional<String> path(Optional<String> before) {
        return optional(before, Scalars::parsePath);
    }

    public boolean bool(boolean before) {
        return value(before, Scalars::parseBoolean);
    }

    public <E extends Enum<E>> E word(E before, E[] constants) {
        return value(before, text -> Scalars.parseWord(constants, text));
    }

    /** Reads a word as {@link #word} does, but an empty assignment resets it to the default. */
    public <E extends Enum<E>> E word(E before, E[] constants, E otherwise) {
        return isEmpty() ? otherwise : word(before, constants);
    }

    public TimeSpan span(TimeSpan before) {
        return value(before, TimeSpan::parse);
    }

    /** Reads a time limit, of which 0 means no limit. */
    public TimeSpan timeout(TimeSpan before) {
        TimeSpan span = span(before);
        return span.micros() == 0 ? TimeSpan.INFINITY : span;
    }

    public int mode(int before) {
        return value(before, Scalars::parseMode);
    }

    public Signal signal(Signal before) {
        return value(
                before,
                text -> {
                    Signal signal = Signal.of(text);
                    if (signal.number() == 0) {
                        throw Scalars.bad("a signal", text);
                    }
                    return signal;
                });
    }

    public ExitStatusSet statuses(ExitStatusSet before) {
        if (isEmpty()) {
            return ExitStatusSet.EMPTY;
        }
        ExitStatusSet all = before;
        WordReader words = new WordReader(value(), WordReader.Backslash.LITERAL_NEXT);
        for (String word = next(words); word != null; word = next(words)) {
            try {
                all = all.with(word);
            } catch (IllegalArgumentException e) {
                ignored(String.valueOf(e.getMessage()));
            }
        }
        return all;
    }

    /** Adds the commands of this line; an empty assignment removes the earlier ones. */
    public void commands(List<ExecCommand> list) {
        if (isEmpty()) {
            list.clear();
            return;
        }
        ExecCommand.Line line = ExecCommand.parse(value(), place(), specifiers::expand);
        list.addAll(line.commands());
        for (Diagnostic problem : line.diagnostics()) {
            diagnostics.add(problem.place(), problem.kind(), key() + "=: " + problem.message());
        }
    }

    /**
     * Passes on each word with its specifiers expanded. A word that the consumer refuses by an
     * {@link IllegalArgumentException} is reported. At a word that cannot be parsed the rest of the
     * line is ignored.
     */
    public void words(WordReader.Backslash backslash, Consumer<String> taker) {
        WordReader words = new WordReader(value(), backslash);
        for (String word = next(words); word != null; word = next(words)) {
            try {
                taker.accept(specifiers.expand(word));
            } catch (IllegalArgumentException e) {
                ignored(String.valueOf(e.getMessage()));
            }
        }
    }

    /** Reads words as {@link #words} does; an empty assignment empties the list. */
    public void list(List<String> list) {
        if (isEmpty()) {
            list.clear();
        }
        words(WordReader.Backslash.LITERAL_NEXT, list::add);
    }

    private @Nullable String next(WordReader words) {
        try {
            return words.next();
        } catch (IllegalArgumentException e) {
            ignored(String.valueOf(e.getMessage()));
            return null;
        }
    }

    /**
     * Marks the directive as one that is read, but not acted on. A reader calls this for every
     * value, an empty one too.
     */
    public void notActedOn() {
        actedOn = false;
    }

    /** Returns whether the manager acts on the directive. */
    public boolean isActedOn() {
        return actedOn;
    }

    public void ignored(String why) {
        diagnostics.add(
                new Diagnostic(
                        place(),
                        Diagnostic.Kind.IGNORED,
                        key() + "=: " + why + "; ignored",
                        DirectiveCost.of(key())));
    }

    /** Reports that the manager does not apply a directive that this line implies. */
    public void notApplied(String directive, String why) {
        diagnostics.addOnce(
                "Service." + directive,
                new Diagnostic(
                        place(),
                        Diagnostic.Kind.NOT_APPLIED,
                        directive + "= " + why,
                        DirectiveCost.of(directive)));
    }

    public void refused(String why) {
        diagnostics.add(place(), Diagnostic.Kind.REFUSED, key() + "=: " + why);
    }

    public void remark(String what) {
        diagnostics.add(place(), Diagnostic.Kind.REMARK, key() + "=: " + what);
    }
}
