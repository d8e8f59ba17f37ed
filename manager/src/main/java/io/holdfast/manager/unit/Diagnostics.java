package io.holdfast.manager.unit;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Collects diagnostics up to {@link Diagnostic#LIMIT}; the first refusal is always kept. */
public final class Diagnostics {
    private final List<Diagnostic> list = new ArrayList<>();
    private final Set<String> seenOnce = new HashSet<>();
    private int leftOut;
    private boolean refused;

    public Diagnostics() {}

    public void add(Diagnostic diagnostic) {
        boolean firstRefusal =
                !refused
                        && (diagnostic.kind() == Diagnostic.Kind.REFUSED
                                || diagnostic.kind() == Diagnostic.Kind.UNREADABLE);
        refused |= firstRefusal;
        if (list.size() < Diagnostic.LIMIT || firstRefusal) {
            list.add(diagnostic);
        } else {
            leftOut++;
        }
    }

    public void add(UnitFilePlace place, Diagnostic.Kind kind, String message) {
        add(new Diagnostic(place, kind, message));
    }

    /** Adds a diagnostic unless there is one about this subject already. */
    public void addOnce(String subject, Diagnostic diagnostic) {
        if (seenOnce.size() < Diagnostic.LIMIT && seenOnce.add(subject)) {
            add(diagnostic);
        }
    }

    public void addOnce(String subject, UnitFilePlace place, Diagnostic.Kind kind, String message) {
        addOnce(subject, new Diagnostic(place, kind, message));
    }

    public void addAll(List<Diagnostic> others) {
        others.forEach(this::add);
    }

    /** {@return whether a diagnostic is of the kind {@code REFUSED} or {@code UNREADABLE}} */
    public boolean isRefused() {
        return refused;
    }

    public List<Diagnostic> toList() {
        if (leftOut == 0) {
            return List.copyOf(list);
        }
        List<Diagnostic> all = new ArrayList<>(list);
        UnitFilePlace last = list.get(list.size() - 1).place();
        all.add(
                new Diagnostic(
                        new UnitFilePlace(last.source(), 0),
                        Diagnostic.Kind.IGNORED,
                        leftOut + " more problems are not listed"));
        return List.copyOf(all);
    }
}
