package io.holdfast.authority.rules.evaluation;

import org.mozilla.javascript.CompilerEnvirons;
import org.mozilla.javascript.Context;
import org.mozilla.javascript.EvaluatorException;
import org.mozilla.javascript.Parser;
import org.mozilla.javascript.RhinoException;
import org.mozilla.javascript.ast.AstNode;
import org.mozilla.javascript.ast.AstRoot;
import org.mozilla.javascript.ast.CatchClause;
import org.mozilla.javascript.ast.FunctionNode;
import org.mozilla.javascript.ast.NodeVisitor;

/** Parses scripts for analysis, without running them. */
public final class ScriptSource {
    private ScriptSource() {}

    /**
     * Parses a script.
     *
     * @throws EvaluatorException if it is not a valid script, or Rhino's parser fails
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
        } catch (RuntimeException e) { // Rhino throws these at some invalid scripts
            throw new EvaluatorException("the parser failed: " + e.getMessage(), name, 0);
        }
    }

    /**
     * Visits a node and all nodes below it. Rhino's own visit fails with a NullPointerException at
     * a {@code catch} without a variable, and leaves out the default values of parameters.
     */
    public static void walk(AstNode node, NodeVisitor visitor) {
        node.visit(each -> {
            if (each instanceof FunctionNode function && function.getDefaultParams() != null) {
                for (Object part : function.getDefaultParams()) { // names and values
                    if (part instanceof AstNode value) {
                        walk(value, visitor);
                    }
                }
            }
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
