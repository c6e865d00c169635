-- A predicate that holds for rows here and there: every row is decoded, of the columns that are named.
SELECT car, COUNT(*) AS n, AVG(fare) AS fare FROM 'trips.parquet' WHERE speed > 129 GROUP BY car;
