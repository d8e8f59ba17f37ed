package io.holdfast.authority.rules.sandbox;

import io.holdfast.authority.rules.RuleLimits;
import org.jspecify.annotations.Nullable;
import org.mozilla.javascript.Context;
import org.mozilla.javascript.ContextFactory;
import org.mozilla.javascript.ErrorReporter;
import org.mozilla.javascript.Script;
import org.mozilla.javascript.debug.DebugFrame;
import org.mozilla.javascript.debug.DebuggableScript;
import org.mozilla.javascript.debug.Debugger;

/**
 * The JavaScript environment of rules: ECMAScript 2015 and later, without access to Java. Scripts
 * are interpreted, so that they can be suspended and their instructions counted.
 */
public final class RuleSandbox extends ContextFactory {
    private final RuleLimits limits;
    private final EvaluationMemory memory;
    private @Nullable Script prelude;
    private volatile @Nullable BuiltIns builtIns;

    public RuleSandbox(RuleLimits limits) {
        this.limits = limits;
        this.memory = new EvaluationMemory(limits);
    }

    /** An interpreter on one thread, for one step of one evaluation. */
    public static final class Cell extends Context {
        private @Nullable Budget budget;

        private Cell(RuleSandbox sandbox) {
            super(sandbox);
        }

        /** Sets the budget of the scripts that run from now on. */
        public void attach(Budget budget) {
            this.budget = budget;
        }

        /** Removes the budget, when the scripts have ended. */
        public void detach() {
            budget = null;
        }

        /**
         * Checks that the evaluation has time and memory left.
         *
         * @throws Abort if not
         */
        void check() {
            if (budget != null) {
                budget.check();
            }
        }

        /**
         * Checks that the evaluation has time left, and memory for so many bytes more.
         *
         * @throws Abort if not
         */
        void reserve(long bytes) {
            if (budget != null) {
                budget.reserve(bytes);
            }
        }

        @Nullable
        public Budget budget() {
            return budget;
        }
    }

    /** Checks the budget at each function entry, even if a built-in function calls the script. */
    private static final Debugger ENTRIES =
            new Debugger() {
                @Override
                public @Nullable DebugFrame getFrame(Context cx, DebuggableScript function) {
                    ((Cell) cx).check();
                    return null;
                }
            };

    /** Begins to run scripts on this thread, which has to close the result. */
    public Cell open() {
        return (Cell) enterContext();
    }

    public static Cell current() {
        return (Cell) Context.getCurrentContext();
    }

    public RuleLimits limits() {
        return limits;
    }

    /** Returns the script that makes {@code polkit} and the functions that belong to it. */
    public synchronized Script prelude(Cell cell) {
        if (prelude == null) {
            prelude = cell.compileString(Prelude.SOURCE, Prelude.NAME, 1, null);
        }
        return prelude;
    }

    /** Returns the built-in objects that evaluations share, which are made at the first call. */
    public BuiltIns builtIns(Cell cell) {
        BuiltIns made = builtIns;
        return made == null ? make(cell) : made;
    }

    private synchronized BuiltIns make(Cell cell) {
        BuiltIns made = builtIns;
        if (made == null) {
            made = BuiltIns.sealed(cell);
            builtIns = made;
        }
        return made;
    }

    /** Makes the built-in objects that evaluations share, unless that has been done. */
    public void prepare() {
        if (builtIns == null) {
            try (Cell cell = open()) {
                BuiltIns _ = make(cell);
            }
        }
    }

    /** Returns the memory that all evaluations share. */
    EvaluationMemory memory() {
        return memory;
    }

    @Override
    protected Context makeContext() {
        Cell cell = new Cell(this);
        cell.setInterpretedMode(true);
        cell.setLanguageVersion(Context.VERSION_ES6);
        cell.setInstructionObserverThreshold(Budget.INSTRUCTIONS);
        cell.setMaximumInterpreterStackDepth(RuleLimits.DEPTH);
        cell.setClassShutter(_ -> false);
        cell.setGeneratingDebug(true); // no tail calls: they lose the caller's place
        cell.setDebugger(ENTRIES, null);
        ErrorReporter _ = cell.setErrorReporter(new BuiltInChange.Reporter());
        cell.getWrapFactory().setJavaPrimitiveWrap(false);
        return cell;
    }

    @Override
    protected void observeInstructionCount(Context cx, int count) {
        ((Cell) cx).check();
    }

    @Override
    protected boolean hasFeature(Context cx, int feature) {
        return switch (feature) {
            case Context.FEATURE_E4X,
                    Context.FEATURE_ENHANCED_JAVA_ACCESS,
                    Context.FEATURE_PARENT_PROTO_PROPERTIES -> // __parent__ of built-in functions
                    false;
            default -> super.hasFeature(cx, feature);
        };
    }
}
