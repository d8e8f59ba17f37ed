package io.holdfast.authority.rules;

import java.util.regex.Pattern;
import org.mozilla.javascript.CompilerEnvirons;
import org.mozilla.javascript.Context;
import org.mozilla.javascript.EvaluatorException;
import org.mozilla.javascript.Parser;
import org.mozilla.javascript.RhinoException;
import org.mozilla.javascript.ast.AstNode;
import org.mozilla.javascript.ast.AstRoot;
import org.mozilla.javascript.ast.BigIntLiteral;
import org.mozilla.javascript.ast.CatchClause;
import org.mozilla.javascript.ast.NodeVisitor;

/** Source that is about to be run. */
final class ScriptSource {
    private static final Pattern MAYBE_BIG = Pattern.compile("[0-9]n|0[xX][0-9a-fA-F_]*n");

    private ScriptSource() {}

    /**
     * Refuses what no limit could stop: one operation on big integers can take hours.
     *
     * @throws EvaluatorException with its line
     */
    static void check(String source, String name) {
        if (MAYBE_BIG.matcher(source).find()) {
            walk(parse(source, name), new NoBigIntegers(name));
        }
    }

    /**
     * Reads a text.
     *
     * @throws EvaluatorException if it is no script, or one that Rhino's parser fails at
     */
    static AstRoot parse(String source, String name) {
        CompilerEnvirons environs = new CompilerEnvirons();
        environs.setLanguageVersion(Context.VERSION_ES6);
        environs.setRecordingComments(false);
        environs.setXmlAvailable(false);
        try {
            return new Parser(environs).parse(source, name, 1);
        } catch (RhinoException e) {
            throw e;
        } catch (RuntimeException e) { // which it throws at some that are no scripts
            throw new EvaluatorException("the parser failed: " + e.getMessage(), name, 0);
        }
    }

    /**
     * Shows a node and all below it to a visitor. Rhino's own way ends at a {@code catch} without a
     * name, with a NullPointerException.
     */
    static void walk(AstNode node, NodeVisitor visitor) {
        node.visit(each -> {
            if (each instanceof CatchClause clause && clause.getVarName() == null) {
                if (visitor.visit(clause)) {
                    walk(clause.getBody(), visitor);
                }
                return false;
            }
            return visitor.visit(each);
        });
    }

    private record NoBigIntegers(String name) implements NodeVisitor {
        @Override
        public boolean visit(AstNode node) {
            if (node instanceof BigIntLiteral) {
                throw new EvaluatorException(
                        "big integers are not supported", name, node.getLineno());
            }
            return true;
        }
    }
}
