package io.holdfast.varlink.idl.tree;

import io.holdfast.varlink.idl.IdlException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Parses an interface definition in one pass. A comment on its own lines documents the member,
 * field or value that follows; other comments are skipped.
 */
final class IdlParser {
    /** A word and the position where it begins. */
    private record Word(String text, int line, int column) {}

    private final String text;
    private int at;
    private int line = 1;
    private int lineStart;
    private int lineOfLastToken;
    private final List<Word> references = new ArrayList<>();

    IdlParser(String text) {
        this.text = text;
    }

    Definition parse() {
        Documentation documentation = skip();
        expectWord("interface");
        blanks();
        Word name = word("the interface's name", ".-");
        require(IdlNames.isInterface(name.text()), name, "is not a valid name of an interface");
        List<Definition.Member> members = new ArrayList<>();
        Set<String> names = new HashSet<>();
        Set<String> types = new HashSet<>();
        for (Documentation comment = skip(); at < text.length(); comment = skip()) {
            Definition.Member member = member(comment, names);
            members.add(member);
            if (member instanceof Definition.NamedType) {
                types.add(member.name());
            }
        }
        for (Word reference : references) {
            require(types.contains(reference.text()), reference, "is not a type of this interface");
        }
        return new Definition(documentation, name.text(), members);
    }

    private Definition.Member member(Documentation documentation, Set<String> names) {
        Word keyword = word("type, method or error", "");
        blanks();
        Word name = word("a name", "");
        require(
                IdlNames.isMember(name.text()),
                name,
                "is not a valid name of a member: [A-Z][A-Za-z0-9]*");
        require(names.add(name.text()), name, "is defined twice");
        blanks();
        return switch (keyword.text()) {
            case "type" -> new Definition.NamedType(documentation, name.text(), composite(0));
            case "error" -> new Definition.NamedError(documentation, name.text(), struct());
            case "method" -> {
                Type.Struct input = struct();
                blanks();
                expect("->");
                blanks();
                yield new Definition.Method(documentation, name.text(), input, struct());
            }
            default -> throw at(keyword, "expected type, method or error");
        };
    }

    private Type.Struct struct() {
        Word start = here();
        if (composite(0) instanceof Type.Struct struct) {
            return struct;
        }
        throw at(start, "expected fields with types, found an enum");
    }

    private Type.Composite composite(int depth) {
        if (depth >= Type.MAX_DEPTH) {
            throw at(here(), "nested deeper than the limit of " + Type.MAX_DEPTH);
        }
        expect("(");
        Documentation documentation = skip();
        if (accept(")")) {
            return Type.Struct.EMPTY;
        }
        Word name = field(new HashSet<>());
        Set<String> names = new HashSet<>(Set.of(name.text()));
        blanks();
        return next() == ':'
                ? fields(documentation, name, names, depth)
                : values(documentation, name, names);
    }

    private Type.Struct fields(Documentation comment, Word first, Set<String> names, int depth) {
        List<Type.Field> fields = new ArrayList<>();
        Documentation documentation = comment;
        Word name = first;
        while (true) {
            blanks();
            if (!accept(":")) {
                throw at(here(), "expected \":\" and a type, as the fields before have them");
            }
            blanks();
            fields.add(new Type.Field(documentation, name.text(), type(depth + 1)));
            blanks();
            if (accept(")")) {
                return new Type.Struct(fields);
            }
            expect(",");
            documentation = skip();
            name = field(names);
        }
    }

    private Type.Enumeration values(Documentation comment, Word first, Set<String> names) {
        List<Type.Value> values = new ArrayList<>();
        values.add(new Type.Value(comment, first.text()));
        while (true) {
            blanks();
            if (accept(")")) {
                return new Type.Enumeration(values);
            }
            if (next() == ':') {
                throw at(here(), "expected \",\" or \")\": the names before have no type");
            }
            expect(",");
            Documentation documentation = skip();
            values.add(new Type.Value(documentation, field(names).text()));
        }
    }

    private Word field(Set<String> names) {
        Word name = word("a field's name", "_");
        require(IdlNames.isField(name.text()), name, "is not a valid name of a field");
        require(names.add(name.text()), name, "is defined twice");
        return name;
    }

    private Type type(int depth) {
        if (depth >= Type.MAX_DEPTH) {
            throw at(here(), "nested deeper than the limit of " + Type.MAX_DEPTH);
        }
        if (accept("?")) {
            if (next() == '?') {
                throw at(here(), "a type is nullable once");
            }
            return new Type.Nullable(type(depth + 1));
        }
        if (accept("[]")) {
            return new Type.Array(type(depth + 1));
        }
        if (accept("[string]")) {
            return new Type.Mapping(type(depth + 1));
        }
        if (next() == '(') {
            return composite(depth);
        }
        Word name = word("a type", "_");
        if (IdlNames.isMember(name.text())) {
            references.add(name);
            return new Type.Reference(name.text());
        }
        for (Type.Primitive primitive : Type.Primitive.values()) {
            if (primitive.word().equals(name.text())) {
                return primitive;
            }
        }
        throw at(name, "is not a type");
    }

    /** Skips white space and comments; returns the comments that document the following element. */
    private Documentation skip() {
        List<String> comments = new ArrayList<>();
        while (at < text.length()) {
            char c = text.charAt(at);
            if (c == '\n') {
                at++;
                line++;
                lineStart = at;
            } else if (c == ' ' || c == '\t' || c == '\r') {
                at++;
            } else if (c == '#') {
                int end = text.indexOf('\n', at);
                end = end < 0 ? text.length() : end;
                if (line > lineOfLastToken) {
                    comments.add(comment(text.substring(at + 1, end)));
                }
                at = end;
            } else {
                break;
            }
        }
        return comments.isEmpty() ? Documentation.NONE : new Documentation(comments);
    }

    private static String comment(String afterHash) {
        String line = afterHash.startsWith(" ") ? afterHash.substring(1) : afterHash;
        return line.replace('\r', ' ').stripTrailing();
    }

    /** Skips white space and comments where a comment documents nothing. */
    private void blanks() {
        Documentation _ = skip();
    }

    private char next() {
        return at < text.length() ? text.charAt(at) : '\0';
    }

    private boolean accept(String token) {
        if (!text.startsWith(token, at)) {
            return false;
        }
        at += token.length();
        lineOfLastToken = line;
        return true;
    }

    private void expect(String token) {
        if (!accept(token)) {
            throw at(here(), "expected \"" + token + "\", found " + found());
        }
    }

    private void expectWord(String wanted) {
        Word word = word("\"" + wanted + "\"", "");
        require(word.text().equals(wanted), word, "found, expected \"" + wanted + "\"");
    }

    /** Reads a word of letters, digits and the given other characters. */
    private Word word(String what, String others) {
        Word start = here();
        int end = at;
        while (end < text.length() && isPartOfWord(text.charAt(end), others)) {
            end++;
        }
        if (end == at) {
            throw at(start, "expected " + what + ", found " + found());
        }
        Word word = new Word(text.substring(at, end), start.line(), start.column());
        at = end;
        lineOfLastToken = line;
        return word;
    }

    private static boolean isPartOfWord(char c, String others) {
        return (c >= 'a' && c <= 'z')
                || (c >= 'A' && c <= 'Z')
                || (c >= '0' && c <= '9')
                || others.indexOf(c) >= 0;
    }

    private String found() {
        if (at >= text.length()) {
            return "the end";
        }
        int c = text.codePointAt(at);
        return c > ' ' && c < 0x7f ? "\"" + (char) c + "\"" : "U+%04X".formatted(c);
    }

    private Word here() {
        return new Word("", line, at - lineStart + 1);
    }

    private static void require(boolean valid, Word word, String reason) {
        if (!valid) {
            throw at(word, reason);
        }
    }

    private static IdlException at(Word word, String reason) {
        String subject = word.text().isEmpty() ? "" : "\"" + word.text() + "\" ";
        return new IdlException(word.line(), word.column(), subject + reason);
    }
}
