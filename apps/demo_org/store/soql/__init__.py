"""SOQL: text to tokens, tokens to a tree, tree to DuckDB SQL over the org's tables."""
