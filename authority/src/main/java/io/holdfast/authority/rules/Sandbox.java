package io.holdfast.authority.rules;

import org.jspecify.annotations.Nullable;
import org.mozilla.javascript.Context;
import org.mozilla.javascript.ContextFactory;

/**
 * How rules are run: interpreted, so that they can be suspended and counted, as ECMAScript 2015 and
 * later, without Java.
 */
final class Sandbox extends ContextFactory {
    private final RuleLimits limits;

    Sandbox(RuleLimits limits) {
        this.limits = limits;
    }

    /** The interpreter of a thread, and who runs on it. */
    static final class Cell extends Context {
        @Nullable Budget budget;
        @Nullable Evaluation<?> evaluation;

        private Cell(ContextFactory factory) {
            super(factory);
        }
    }

    /** Begins to run scripts on this thread; to be closed on it. */
    Cell open() {
        return (Cell) enterContext();
    }

    static Cell current() {
        return (Cell) Context.getCurrentContext();
    }

    @Override
    protected Context makeContext() {
        Cell cell = new Cell(this);
        cell.setInterpretedMode(true);
        cell.setLanguageVersion(Context.VERSION_ES6);
        cell.setInstructionObserverThreshold(Budget.INSTRUCTIONS);
        cell.setMaximumInterpreterStackDepth(limits.depth());
        cell.setClassShutter(_ -> false);
        cell.setGeneratingDebug(true); // no tail calls: they lose the caller's place
        cell.getWrapFactory().setJavaPrimitiveWrap(false);
        return cell;
    }

    @Override
    protected void observeInstructionCount(Context cx, int count) {
        Budget budget = ((Cell) cx).budget;
        if (budget != null) {
            budget.check();
        }
    }

    @Override
    protected boolean hasFeature(Context cx, int feature) {
        return switch (feature) {
            case Context.FEATURE_E4X,
                    Context.FEATURE_ENHANCED_JAVA_ACCESS,
                    Context.FEATURE_PARENT_PROTO_PROPERTIES -> // __parent__ of our functions
                    false;
            default -> super.hasFeature(cx, feature);
        };
    }
}
