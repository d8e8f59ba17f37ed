package io.holdfast.benchmarks.library;

import io.holdfast.benchmarks.frame.Worker;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ExecutionException;

/**
 * The measured program, in a separate JVM: it reads a command per line from its standard input, and
 * answers numbers, as {@code reference.c} does. {@link Worker} is at the other end.
 */
final class LibrarySubject {
    private LibrarySubject() {}

    public static void main(String[] args)
            throws IOException, InterruptedException, ExecutionException {
        BufferedReader commands =
                new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = commands.readLine(); line != null; line = commands.readLine()) {
            String[] words = line.split(" ");
            System.out.println(
                    switch (words[0]) {
                        case "info", "open", "signal" ->
                                CallsSubject.run(words[0], number(words[1]), number(words[2]));
                        case "spawn", "spawn-ProcessBuilder", "spawn-NuProcess" ->
                                SpawnSubject.run(
                                        words[0], number(words[1]), number(words[2]), words[3]);
                        case "watch" -> WatchSubject.watch(number(words[1]), words[2], words[3]);
                        case "watch-each" -> WatchSubject.watchEach(number(words[1]));
                        case "watch-jdk" ->
                                WatchSubject.watchByJdk(number(words[1]), words[2], words[3]);
                        case "exits" -> WatchSubject.exits();
                        case "members" ->
                                MembersSubject.held(number(words[1]), number(words[2]), words[3]);
                        case "members-proc" ->
                                MembersSubject.byNumber(
                                        number(words[1]), number(words[2]), words[3]);
                        case "messages", "messages-nio" ->
                                MessagesSubject.run(
                                        words[0].equals("messages"),
                                        words[1].equals("request"),
                                        words[2].equals("virtual"),
                                        words[3].equals("direct"),
                                        number(words[4]));
                        default -> throw new IllegalArgumentException(line);
                    });
        }
    }

    private static int number(String word) {
        return Integer.parseInt(word);
    }
}
