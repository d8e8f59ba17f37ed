package io.holdfast.authority.rules.evaluation;

import org.mozilla.javascript.CompilerEnvirons;
import org.mozilla.javascript.Context;
import org.mozilla.javascript.EvaluatorException;
import org.mozilla.javascript.Parser;
import org.mozilla.javascript.RhinoException;
import org.mozilla.javascript.ast.AstNode;
import org.mozilla.javascript.ast.AstRoot;
import org.mozilla.javascript.ast.CatchClause;
import org.mozilla.javascript.ast.NodeVisitor;

/** The text of scripts, to be read without running it. */
public final class ScriptSource {
    private ScriptSource() {}

    /**
     * Reads a text.
     *
     * @throws EvaluatorException if it is no script, or one that Rhino's parser fails at
     */
    public static AstRoot parse(String source, String name) {
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
    public static void walk(AstNode node, NodeVisitor visitor) {
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
}
