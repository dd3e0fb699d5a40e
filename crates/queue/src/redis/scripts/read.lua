-- Reads jobs by their ids.
-- ARGV: ids.
-- Answers id, data, text, tags and errors of each that is known.
return describe(ARGV)
