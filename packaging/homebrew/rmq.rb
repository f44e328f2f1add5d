# typed: strict
# frozen_string_literal: true

# Four small Unix tools for RabbitMQ.
class Rmq < Formula
  desc "Small Unix tools for RabbitMQ that compose through pipes"
  homepage "@SOURCE@"
  url "@SOURCE@/releases/download/v@VERSION@/rmq-@VERSION@.tar.gz"
  sha256 "@SHA256@"
  license any_of: ["MIT", "Apache-2.0"]

  depends_on "rust" => :build
  depends_on "pcre2"

  def install
    system "make", "install", "PREFIX=#{prefix}", "BASH_COMPLETIONS=#{bash_completion}",
           "FISH_COMPLETIONS=#{fish_completion}", "ZSH_COMPLETIONS=#{zsh_completion}"
  end

  test do
    assert_match "rmq-send #{version}", shell_output("#{bin}/rmq-send --version")
    output = shell_output("#{bin}/rmq-send --retry 0 -b hello -u amqp://127.0.0.1:1 jobs 2>&1", 75)
    assert_match "refused", output
  end
end
