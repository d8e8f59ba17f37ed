package io.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Tests that the pages lead somewhere, stay short, and quote messages that the programs have. */
class PagesTest {
    /** The number of lines that a reader of an entry page can be expected to read. */
    private static final int LINES = 200;

    private static final Pattern LINK = Pattern.compile("\\]\\(([^)#\\s]*)(?:#([^)\\s]*))?\\)");
    private static final Pattern HEADING = Pattern.compile("^#+ (.*)$", Pattern.MULTILINE);
    private static final Pattern BLOCK = Pattern.compile("```.*?```", Pattern.DOTALL);

    /** The first cell of a row that quotes a message. */
    private static final Pattern MESSAGE = Pattern.compile("^\\| (`.*?) \\|", Pattern.MULTILINE);

    private static final Pattern CODE = Pattern.compile("`([^`]*)`");

    /** Where the text of one message goes on in the next literal. */
    private static final Pattern SPLICE = Pattern.compile("\"\\s*\\+\\s*\"");

    /** Returns the anchors of a page, as GitHub makes them of its headings. */
    private static Set<String> anchors(Path page) throws IOException {
        return HEADING.matcher(BLOCK.matcher(Files.readString(page)).replaceAll(""))
                .results()
                .map(found ->
                        found.group(1).toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9 _-]", ""))
                .map(heading -> heading.replace(' ', '-'))
                .collect(Collectors.toSet());
    }

    @Test
    void everyLinkLeadsToAFileAndAHeading() throws IOException {
        int links = 0;
        for (Path page : Pages.all()) {
            String text = BLOCK.matcher(Files.readString(page)).replaceAll("");
            for (MatchResult link : LINK.matcher(text).results().toList()) {
                if (link.group(1).startsWith("http")) {
                    continue;
                }
                Path folder = Objects.requireNonNull(page.getParent());
                Path target = link.group(1).isEmpty() ? page : folder.resolve(link.group(1));
                assertThat(target).as("%s: %s", page, link.group()).exists();
                if (link.group(2) != null) {
                    assertThat(anchors(target))
                            .as("%s: %s", page, link.group())
                            .contains(link.group(2));
                }
                links++;
            }
        }
        assertThat(links).isGreaterThan(100);
    }

    @Test
    void everyPageIsInItsIndex() throws IOException {
        for (Path page : Pages.all()) {
            Path folder = Objects.requireNonNull(page.getParent());
            if (folder.equals(Pages.CHECKOUT) || page.endsWith("README.md")) {
                continue;
            }
            assertThat(Files.readString(folder.resolve("README.md")))
                    .contains("](" + page.getFileName() + ")");
        }
    }

    @Test
    void thePagesThatAReaderOpensFirstAreShort() throws IOException {
        assertThat(Pages.text("README.md").lines().count()).isLessThanOrEqualTo(LINES);
        assertThat(Pages.text("ARCHITECTURE.md").lines().count()).isLessThanOrEqualTo(LINES);
    }

    /** A message may have parts that differ, which the page writes as "…". */
    @Test
    void everyMessageOfTroubleshootingIsOneOfOurs() throws IOException {
        String code = code();
        List<String> messages = new ArrayList<>();
        for (MatchResult row :
                MESSAGE.matcher(Pages.text("docs/troubleshooting.md")).results().toList()) {
            if (!row.group(1).endsWith(" of the JDK")) {
                CODE.matcher(row.group(1)).results().map(m -> m.group(1)).forEach(messages::add);
            }
        }
        assertThat(messages).hasSizeGreaterThan(30);
        List<String> unknown =
                messages.stream()
                        .flatMap(message -> Stream.of(message.split("…")))
                        .filter(part -> !code.contains(part.strip()))
                        .toList();
        assertThat(unknown).as("parts of messages that are not in the code").isEmpty();
    }

    /** Returns the sources of all modules, with the literals of each message in one piece. */
    private static String code() throws IOException {
        StringBuilder code = new StringBuilder();
        try (Stream<Path> modules = Files.list(Pages.CHECKOUT)) {
            for (Path module : (Iterable<Path>) modules::iterator) {
                Path main = module.resolve("src/main/java");
                if (Files.isDirectory(main)) {
                    try (Stream<Path> files = Files.walk(main)) {
                        for (Path file : (Iterable<Path>) files::iterator) {
                            if (file.toString().endsWith(".java")) {
                                code.append(Files.readString(file));
                            }
                        }
                    }
                }
            }
        }
        return SPLICE.matcher(code).replaceAll("");
    }
}
