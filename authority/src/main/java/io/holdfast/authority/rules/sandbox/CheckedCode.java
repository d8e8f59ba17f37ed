package io.holdfast.authority.rules.sandbox;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.mozilla.javascript.CompilerEnvirons;
import org.mozilla.javascript.Context;
import org.mozilla.javascript.Evaluator;
import org.mozilla.javascript.EvaluatorException;
import org.mozilla.javascript.Function;
import org.mozilla.javascript.Interpreter;
import org.mozilla.javascript.Node;
import org.mozilla.javascript.RhinoException;
import org.mozilla.javascript.Script;
import org.mozilla.javascript.Scriptable;
import org.mozilla.javascript.Token;
import org.mozilla.javascript.ast.ScriptNode;
import org.mozilla.javascript.debug.DebuggableScript;

/**
 * The compiler of all scripts, files and {@code eval} alike. It ensures that no single operation of
 * the interpreter takes or makes more than a bounded amount: after each operation that can make a
 * text or an array longer, it inserts a call of {@link #CHECK}, whose name no script can spell:
 *
 * <pre>{@code
 * a + b            (check)(a + b)
 * o.p += s         (check)(o.p += s)
 * a[i] = x         (check)(a[i] = x)
 * a.length = n     (check)(a.length = n)
 * }</pre>
 *
 * Code that cannot be checked in this way is refused with its line: big integers, object spread,
 * tagged templates (the interpreter keeps their parts from one evaluation to the next) and {@code
 * with} (it would give the name of the check another meaning).
 */
final class CheckedCode implements Evaluator {
    /** The name of the global function that checks each result that could be large. */
    static final String CHECK = "(check)";

    /** The maximum number of characters of a regular expression, in a file or made from text. */
    static final int MAX_PATTERN = 4_096;

    /**
     * The maximum number of character classes in the regular expressions of one file or {@code
     * eval}: the interpreter keeps up to 8 KiB for each.
     */
    static final int MAX_CLASSES = 512;

    private final Interpreter interpreter = new Interpreter();

    @Override
    public Object compile(
            CompilerEnvirons environs, ScriptNode tree, String source, boolean isFunction) {
        new Pass(tree.getSourceName()).script(tree);
        return interpreter.compile(environs, tree, source, isFunction);
    }

    /** A pass over a script and its functions. */
    private static final class Pass {
        private final String file;
        private int classes;

        Pass(String file) {
            this.file = file;
        }

        void script(ScriptNode script) {
            for (int i = 0; i < script.getRegexpCount(); i++) {
                pattern(script, script.getRegexpString(i));
            }
            children(script);
            for (int i = 0; i < script.getFunctionCount(); i++) {
                script(script.getFunctionNode(i));
            }
        }

        private void pattern(ScriptNode script, String pattern) {
            classes += (int) pattern.chars().filter(c -> c == '[' || c == '\\').count();
            if (pattern.length() > MAX_PATTERN) {
                throw refused(
                        script, "a regular expression of more than " + MAX_PATTERN + " characters");
            }
            if (classes > MAX_CLASSES) {
                throw refused(
                        script,
                        "more than "
                                + MAX_CLASSES
                                + " classes of characters and escapes in the"
                                + " regular expressions of one file");
            }
        }

        private void children(Node parent) {
            Node child = parent.getFirstChild();
            while (child != null) {
                Node next = child.getNext();
                node(child);
                if (isToBeChecked(child)) {
                    Node check = new Node(Token.CALL, child.getLineno(), child.getColumn());
                    parent.replaceChild(child, check);
                    check.addChildToBack(Node.newString(Token.NAME, CHECK));
                    check.addChildToBack(child);
                }
                child = next;
            }
        }

        private void node(Node node) {
            switch (node.getType()) {
                case Token.BIGINT -> throw refused(node, "big integers are not supported");
                case Token.ENTERWITH -> {
                    if (node.getFirstChild().getType() != Token.LOCAL_LOAD) { // that is a "catch"
                        throw refused(node, "the statement \"with\" is not supported");
                    }
                }
                case Token.TEMPLATE_LITERAL, Token.TAGGED_TEMPLATE_LITERAL ->
                        throw refused(node, "tagged templates are not supported");
                case Token.OBJECTLIT -> keys(node);
                default -> {}
            }
            children(node);
        }

        /** Visits the property names of an object literal, some of which are expressions. */
        private void keys(Node literal) {
            if (!(literal.getProp(Node.OBJECT_IDS_PROP) instanceof Object[] keys)) {
                return;
            }
            for (Object key : keys) {
                if (key instanceof Node computed) {
                    if (computed.getType() == Token.DOTDOTDOT) {
                        throw refused(literal, "object spread is not supported");
                    }
                    node(computed);
                }
            }
        }

        private static boolean isLength(@Nullable Node name) {
            return name != null
                    && name.getType() == Token.STRING
                    && name.getString().equals("length");
        }

        private static boolean isToBeChecked(Node node) {
            return switch (node.getType()) {
                case Token.ADD, Token.STRING_CONCAT -> !takesFromStack(node);
                case Token.SETELEM, Token.SETELEM_OP, Token.SETPROP_OP, Token.SET_REF_OP -> true;
                case Token.SETPROP -> isLength(node.getFirstChild().getNext());
                case Token.INC, Token.DEC ->
                        node.getFirstChild().getType() == Token.GETELEM
                                || node.getFirstChild().getType() == Token.GETPROP;
                default -> false;
            };
        }

        /**
         * Returns whether a node is the inner part of an assignment such as {@code +=}, which is
         * checked as a whole.
         */
        private static boolean takesFromStack(Node node) {
            return node.getFirstChild().getType() == Token.USE_STACK;
        }

        private EvaluatorException refused(Node node, String why) {
            return new EvaluatorException(why, file, Math.max(node.getLineno(), 0));
        }
    }

    // ---- delegated to the interpreter

    @Override
    public Function createFunctionObject(
            Context cx, Scriptable scope, Object code, @Nullable Object domain) {
        return interpreter.createFunctionObject(cx, scope, code, domain);
    }

    @Override
    public Script createScriptObject(Object code, @Nullable Object domain) {
        return interpreter.createScriptObject(code, domain);
    }

    @Override
    public void captureStackInfo(RhinoException thrown) {
        interpreter.captureStackInfo(thrown);
    }

    @Override
    public String getSourcePositionFromStack(Context cx, int[] line) {
        return interpreter.getSourcePositionFromStack(cx, line);
    }

    @Override
    public String getPatchedStack(RhinoException thrown, String nativeStack) {
        return interpreter.getPatchedStack(thrown, nativeStack);
    }

    @Override
    public List<String> getScriptStack(RhinoException thrown) {
        return interpreter.getScriptStack(thrown);
    }

    @Override
    public void setEvalScriptFlag(Script script) {
        interpreter.setEvalScriptFlag(script);
    }

    @Override
    public DebuggableScript getDebuggableScript(Object code) {
        return interpreter.getDebuggableScript(code);
    }
}
